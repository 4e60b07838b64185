import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { oauth1Authorization } from '../../../src/social-auth/twitter/oauth1-signature.js';
import { XDouble } from './x-double.js';
import { aPersonOnX } from './x-stage.js';

/** A stand-in that lets everything pass would prove nothing. */
describe(XDouble.name, () => {
  let double: XDouble;
  const consumer = { key: 'key', secret: 'secret', callbacks: [] };
  beforeAll(async () => {
    double = await XDouble.start();
    double.addConsumer(consumer);
  });
  afterAll(() => double.close());

  let count = 0;
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const headerFor = (path: string, moment: { nonce?: string; timestampSeconds?: number } = {}) => {
    const { oauth_token: token, oauth_token_secret: tokenSecret } = double.tokenFor(aPersonOnX(), consumer);
    return oauth1Authorization(
      { method: 'GET', url: new URL(path, double.url) },
      { consumerKey: consumer.key, consumerSecret: consumer.secret, token, tokenSecret },
      { nonce: `nonce-${++count}`, timestampSeconds, ...moment },
    );
  };
  const ask = async (path: string, authorization: string) => {
    const answer = await fetch(new URL(path, double.url), { headers: { authorization } });
    return { status: answer.status, body: await answer.text() };
  };
  const V1 = '/1.1/account/verify_credentials.json';

  it('takes a signed request once', async () => {
    const header = headerFor(V1, { nonce: 'once' });
    expect(await ask(V1, header)).toMatchObject({ status: 200 });
    expect(await ask(V1, header)).toEqual({
      status: 401,
      body: '{"errors":[{"code":32,"message":"Could not authenticate you."}]}',
    });
  });

  it('refuses a signature that was made for another request', async () => {
    expect(await ask(`${V1}?include_email=true`, headerFor(V1))).toMatchObject({ status: 401 });
    expect(await ask('/2/users/me', headerFor(V1))).toMatchObject({ status: 401 });
  });

  // Time goes on between the two clocks: the one ahead needs more than the margin.
  it.each([-301, 330])('refuses a timestamp that is off by %d seconds', async (off) => {
    expect(await ask(V1, headerFor(V1, { timestampSeconds: timestampSeconds + off }))).toEqual({
      status: 401,
      body: '{"errors":[{"code":135,"message":"Timestamp out of bounds."}]}',
    });
  });

  it('writes an id that no double can hold as a number, and once more as text', async () => {
    const { body } = await ask(V1, headerFor(V1));
    expect(body).toContain('"id":9007199254740993,"id_str":"9007199254740993"');
  });
});
