import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.js';
import { signedToken } from '../../test/support/signed-token.js';
import type { TracedCheck, VerificationTrace } from '../observability/verification-trace.js';
import { leastSecretBytes, verifySecretToken } from './verify-secret-token.js';

const SECRET = 'a secret of thirty-two and more bytes';
const ISSUER = 'https://issuer.example';

describe('verifySecretToken', () => {
  const clock = new ManualClock();
  const now = clock.now() / 1000;
  const token = (payload: object = {}, header: object = {}, key = SECRET) =>
    signedToken({
      header: { alg: 'HS256', ...header },
      payload: { iss: ISSUER, aud: 'us', sub: '42', exp: now + 60, ...payload },
      key,
    });
  const verify = (text: string, trace?: VerificationTrace) =>
    verifySecretToken(text, {
      secret: Buffer.from(SECRET),
      issuers: [ISSUER],
      audiences: ['us'],
      algorithms: ['HS256'],
      clock,
      trace,
    });
  const checksOf = async (text: string) => {
    const checks: TracedCheck[] = [];
    const trace = {
      check: (one: TracedCheck) => void checks.push(one),
      exchange: () => {},
      mapping: () => {},
    };
    await verify(text, trace).catch(() => undefined);
    return checks;
  };

  it('gives the claims of a token that is signed with the secret', async () => {
    expect((await verify(token({ name: 'Ada' }))).claims).toMatchObject({ sub: '42', name: 'Ada' });
  });

  it('takes the one secret there is for every key id', async () => {
    expect((await verify(token({}, { kid: 'whatever' }))).claims).toMatchObject({ sub: '42' });
  });

  it.each([
    ['another secret', token({}, {}, 'another secret of thirty-two bytes, and more')],
    ['another algorithm', token({}, { alg: 'HS512' })],
    ['an algorithm of public keys', token({}, { alg: 'RS256' })],
    ['no algorithm', token({}, { alg: 'none' })],
    ['no expiry', token({ exp: undefined })],
  ])('refuses a token of %s', async (_, text) => {
    await expect(verify(text)).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('keeps large numbers as they were written', async () => {
    const payload = `{"iss":"${ISSUER}","aud":"us","sub":9007199254740993,"exp":${now + 60}}`;
    const { claims } = await verify(signedToken({ header: { alg: 'HS256' }, payload, key: SECRET }));
    expect(claims['sub']).toBe('9007199254740993');
  });

  it('asks for a secret as long as the hash', () => {
    expect((['HS256', 'HS384', 'HS512'] as const).map(leastSecretBytes)).toEqual([32, 48, 64]);
  });

  it('tells whoever watches each check, up to the one that fails', async () => {
    expect((await checksOf(token({ nbf: now, iat: now }))).map(({ name }) => name)).toEqual(
      'alg typ iss aud exp nbf iat kid signature'.split(' '),
    );
    expect(await checksOf(token({ aud: 'them' }))).toContainEqual({
      name: 'aud',
      passed: false,
      detail: 'expected ["us"], found ["them"]',
    });
    expect((await checksOf('no token')).map(({ name, passed }) => [name, passed])).toEqual([['form', false]]);
    expect((await checksOf(token({}, {}, 'x'.repeat(40)))).at(-1)).toMatchObject({
      name: 'signature',
      passed: false,
    });
  });

  it('tells nobody the secret', async () => {
    expect(JSON.stringify(await checksOf(token()))).not.toContain(SECRET);
  });
});
