import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partnerStage, type PartnerStage } from '../../../test/support/partner/partner-stage.js';
import { carrySecrets, redactSecrets } from '../../identity-providers/secret-options.js';
import { redirects } from '../../identity/identity-verifier.js';

const KEY = 'k-of-the-operator';

describe('HttpKind', () => {
  let stage: PartnerStage;
  beforeAll(async () => {
    stage = await partnerStage();
  });
  afterAll(() => stage.close());

  const options = {
    url: 'https://partner.example:8443/users/#{login}?a=1',
    headers: {
      Authorization: 'Bearer #{token}',
      'X-Api-Key': KEY,
      'X-Mixed': `${KEY} #{token}`,
      Accept: 'application/json',
    },
    params: { token: '#{token}', auth: { key: KEY, list: [KEY, '#{login}:#{password}'] }, n: 1 },
    mapping: { uid: '#{id}', 'attributes.from': 'the partner' },
    signing: { secret: Buffer.alloc(32).toString('base64') },
  };
  const shownOf = (given: Record<string, unknown>) =>
    redactSecrets(
      given,
      stage.kind.secretPaths,
      () => '…',
      (value) => stage.kind.isPublic(value),
    );
  const secret = { fingerprint: '…' };

  it('trusts a partner with no address, has no name of its own and sends no browser anywhere', () => {
    expect(stage.kind).toMatchObject({ kind: 'http', reservedSlug: null });
    expect(stage.kind.defaults).toEqual({ trustedForEmail: false, trustedForPhone: false });
    expect(redirects(stage.verifierOf())).toBe(false);
  });

  it('names the one origin that it dials and that secrets go to', () => {
    const parsed = stage.kind.optionsSchema.parse(options);
    expect(stage.kind.secretDestinations(parsed)).toEqual(['https://partner.example:8443']);
    expect(stage.kind.destinations(parsed).map(String)).toEqual(['https://partner.example:8443/']);
  });

  it('C-21 shows templates, and fingerprints of whatever else stands in headers and parameters', () => {
    expect(shownOf(options)).toEqual({
      ...options,
      headers: {
        Authorization: 'Bearer #{token}',
        'X-Api-Key': secret,
        'X-Mixed': secret,
        Accept: 'application/json',
      },
      params: { token: '#{token}', auth: { key: secret, list: [secret, '#{login}:#{password}'] }, n: 1 },
      signing: { secret },
    });
  });

  it('C-21 shows nothing of headers and parameters that are JSON texts, which may hold keys', () => {
    const pasted = {
      request_headers: JSON.stringify(options.headers),
      request_params: '{"token":"#{token}"}',
    };
    expect(shownOf(pasted)).toEqual({ request_headers: secret, request_params: secret });
  });

  it('C-21 shows nothing at the greatest depth that parameters have', () => {
    const deep = { params: { a: { b: { c: { d: { e: { f: KEY, token: '#{token}' } } } } } } };
    expect(stage.kind.optionsSchema.safeParse({ ...options, ...deep }).success).toBe(true);
    expect(JSON.stringify(shownOf(deep))).not.toContain(KEY);
  });

  it('takes a definition back as it is shown, and takes out what is left out', () => {
    const { kind } = stage;
    const isPublic = (value: string) => kind.isPublic(value);
    const { options: same } = carrySecrets(shownOf(options), options, kind.secretPaths, isPublic);
    expect(same).toEqual(options);
    const { options: less, carried } = carrySecrets(
      { ...options, headers: { Authorization: 'Bearer #{token}' }, signing: {} },
      options,
      kind.secretPaths,
      isPublic,
    );
    expect(less).toEqual({ ...options, headers: { Authorization: 'Bearer #{token}' } });
    expect(carried).toEqual(['/signing/secret']);
  });

  it('opens a verifier without a call to anybody', () => {
    expect(stage.partner.calls).toEqual([]);
  });
});
