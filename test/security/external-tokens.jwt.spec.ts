import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JwtKind } from '../../src/custom-idp/jwt/jwt.kind.js';
import type { OutboundClient } from '../../src/outbound/outbound-client.js';
import { ManualClock } from '../support/manual-clock.js';
import { claimsStage, outcomeOf, type ClaimsStage } from '../support/oidc/claims-stage.js';
import { CLIENT } from '../support/oidc/issuer-double.js';
import { base64url, ecKey, rsaKey, signedToken } from '../support/signed-token.js';

const SECRET = 'a secret of thirty-two and more bytes';
const BY_SECRET = {
  jwks_url: undefined,
  algorithms: ['HS256'],
  secret: SECRET,
  secret_encoding: 'utf-8',
};

describe('tokens that a partner signs', () => {
  let clock: ManualClock;
  let stage: ClaimsStage;
  beforeEach(async () => {
    clock = new ManualClock();
    stage = await claimsStage(clock);
  });
  afterEach(() => stage.close());

  const now = () => clock.now() / 1000;
  const ofSecret = (payload: object = {}, header: object = {}, key: string = SECRET) =>
    signedToken({
      header: { alg: 'HS256', typ: 'JWT', ...header },
      payload: { ...stage.issuer.claimsOf('ada'), ...payload },
      key,
    });
  const outcome = (token: string, options: object = {}) => outcomeOf(stage.jwt(options), { token });

  it('A-17 refuses one of our own session tokens', async () => {
    for (const options of [{}, BY_SECRET]) {
      expect(await outcome('osta_QmFzZTY0dXJsVG9rZW5PZlRoaXJ0eVR3b0J5dGVz', options)).toBe(
        'invalid_credentials',
      );
    }
  });

  it('A-19 refuses access and logout tokens unless the definition lists their type', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'logout+jwt', 'secevent+jwt']) {
      expect(await outcome(stage.issuer.token('ada', { header: { typ } }))).toBe('invalid_credentials');
    }
    const listed = { token_types: ['at+jwt'] };
    expect(await outcome(stage.issuer.token('ada', { header: { typ: 'AT+JWT' } }), listed)).toBe('verified');
    // Who lists one type does not get the other.
    expect(await outcome(stage.issuer.token('ada'), listed)).toBe('invalid_credentials');
    expect(await outcome(stage.issuer.token('ada', { header: { typ: undefined } }), listed)).toBe(
      'invalid_credentials',
    );
  });

  describe('A-23 refuses a definition', () => {
    const base = () => stage.jwtOptions();
    const secret = { ...BY_SECRET };
    it.each([
      ['without an issuer', { issuer: undefined }],
      ['with an empty list of issuers', { issuer: [] }],
      ['without an audience', { audience: undefined }],
      ['with an empty list of audiences', { audience: [] }],
      ['with an empty audience', { audience: '' }],
      ['without algorithms', { algorithms: undefined }],
      ['with an empty list of algorithms', { algorithms: [] }],
      ['with the algorithm none', { algorithms: ['none'] }],
      ['without keys', { jwks_url: undefined }],
      ['with an empty list of keys', { jwks_url: undefined, keys: [] }],
      ['with a secret and an address of keys', { secret: SECRET, secret_encoding: 'utf-8' }],
      ['with algorithms of both sorts', { algorithms: ['RS256', 'HS256'] }],
      ['with a secret for public keys', { ...secret, algorithms: ['RS256'] }],
      ['with an address of keys for a secret', { algorithms: ['HS256'] }],
      ['with a secret of unknown spelling', { ...secret, secret_encoding: undefined }],
      ['with a short secret', { ...secret, secret: 'x'.repeat(31) }],
      [
        'with a secret that is too short for one of its algorithms',
        { ...secret, algorithms: ['HS256', 'HS512'] },
      ],
      ['with a secret that is not as it is spelled', { ...secret, secret_encoding: 'hex' }],
      ['with keys behind plain HTTP', { jwks_url: 'http://keys.example/jwks' }],
      ['with a switch that nobody knows', { insecure_skip_audience: true }],
      ['that asks for an age of nothing', { max_age_seconds: 0 }],
    ])('%s', (_, overrides) => {
      const kind = new JwtKind(stage.outbound, clock);
      expect(kind.optionsSchema.safeParse({ ...base(), ...overrides }).success).toBe(false);
      expect(kind.optionsSchema.safeParse(base()).success).toBe(true);
    });
  });

  it.each(['none', 'None', 'nOnE', '', undefined, 'HS256', 'RS512'])(
    'B-01 refuses a token of algorithm %j',
    async (alg) => {
      const payload = stage.issuer.claimsOf('ada');
      for (const key of [null, stage.issuer.key.privateKey]) {
        const token = signedToken({ header: { alg, kid: 'first' }, payload, key });
        expect(await outcome(token)).toBe('invalid_credentials');
        expect(await outcome(token, BY_SECRET)).toBe('invalid_credentials');
      }
    },
  );

  it('B-02 takes a public key for no secret, and a secret for no public key', async () => {
    const { key } = stage.issuer;
    const spki = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const pkcs1 = key.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const spellings = [
      spki,
      spki.trim(),
      ` ${spki}`,
      spki.replaceAll('\n', '\r\n'),
      pkcs1,
      JSON.stringify(key.jwk),
    ];
    for (const spelling of spellings) {
      for (const alg of ['HS256', 'RS256']) {
        const forged = ofSecret({}, { alg, kid: 'first' }, spelling);
        expect(await outcome(forged)).toBe('invalid_credentials');
        expect(await outcome(forged, { jwks_url: undefined, keys: [spki] })).toBe('invalid_credentials');
      }
    }
    expect(await outcome(stage.issuer.token('ada'), BY_SECRET)).toBe('invalid_credentials');
  });

  it('B-02 takes no shared secret from a key set that everybody can read', async () => {
    stage.issuer.published = [{ kty: 'oct', kid: 'first', k: base64url(SECRET), alg: 'HS256' }];
    expect(await outcome(ofSecret({}, { kid: 'first' }))).toBe('invalid_credentials');
    expect(await outcome(ofSecret({}, { kid: 'first', alg: 'RS256' }))).toBe('invalid_credentials');
  });

  it('B-03 looks at no key that the token brings along', async () => {
    const attacker = rsaKey('first');
    const header = {
      jku: `${stage.issuer.issuer}/theirs`,
      x5u: `${stage.issuer.issuer}/theirs`,
      jwk: attacker.jwk,
    };
    expect(await outcome(stage.issuer.token('ada', { header, key: attacker }))).toBe('invalid_credentials');
    expect(stage.issuer.requests).toEqual(['GET /jwks']);
  });

  it.each(['../../dev/null', "' OR 1=1 --", 'x'.repeat(257), {}, 7])(
    'B-04 refuses the key id %j with no look beyond the keys',
    async (kid) => {
      expect(await outcome(stage.issuer.token('ada', { header: { kid } }))).toBe('invalid_credentials');
      expect(stage.issuer.requests.filter((request) => request !== 'GET /jwks')).toEqual([]);
    },
  );

  it('B-05 asks once for key ids that nobody knows', async () => {
    const verifier = stage.jwt();
    await outcomeOf(verifier, { token: stage.issuer.token('ada') });
    const tokens = Array.from({ length: 100 }, (_, i) =>
      stage.issuer.token('ada', { header: { kid: `no-${i}` } }),
    );
    const outcomes = await Promise.all(tokens.map((token) => outcomeOf(verifier, { token })));
    expect(new Set(outcomes)).toEqual(new Set(['invalid_credentials']));
    expect(stage.issuer.countOf('/jwks')).toBe(1);
  });

  it('B-06 goes on with the keys it has while their address is down, and then blames the provider', async () => {
    const verifier = stage.jwt();
    const fresh = () => outcomeOf(verifier, { token: stage.issuer.token('ada') });
    expect(await fresh()).toBe('verified');
    await stage.issuer.goDown();
    clock.advance({ minutes: 70 });
    expect(await fresh()).toBe('verified');
    clock.advance({ seconds: 1 });
    expect(await fresh()).toBe('identity_provider_unavailable');
  });

  it('B-08 takes a new key, and not the old one any more', async () => {
    const verifier = stage.jwt();
    const old = stage.issuer.key;
    expect(await outcomeOf(verifier, { token: stage.issuer.token('ada') })).toBe('verified');
    stage.issuer.rotateKeys();
    clock.advance({ minutes: 10, seconds: 1 });
    expect(await outcomeOf(verifier, { token: stage.issuer.token('ada') })).toBe('verified');
    expect(await outcomeOf(verifier, { token: stage.issuer.token('ada', { key: old }) })).toBe(
      'invalid_credentials',
    );
  });

  it.each([
    ['exp', -59, 'verified'],
    ['exp', -60, 'invalid_credentials'],
    ['nbf', 60, 'verified'],
    ['nbf', 61, 'invalid_credentials'],
    ['iat', 61, 'invalid_credentials'],
  ])('B-09 judges %s of %d seconds from now: %s', async (claim, seconds, expected) => {
    const payload = { [claim]: now() + seconds };
    expect(await outcome(stage.issuer.token('ada', { payload }))).toBe(expected);
    expect(await outcome(ofSecret(payload), BY_SECRET)).toBe(expected);
  });

  it.each(['9999999999', -1, undefined, null, 9_007_199_254_740_993_000])(
    'B-09 refuses the expiry %j',
    async (exp) => {
      expect(await outcome(ofSecret({ exp }), BY_SECRET)).toBe('invalid_credentials');
    },
  );

  it('B-09 judges the age where the definition limits it', async () => {
    const options = { max_age_seconds: 300 };
    const of = (iat: number | undefined) => outcome(stage.issuer.token('ada', { payload: { iat } }), options);
    expect(await Promise.all([of(now() - 359), of(now() - 360), of(undefined)])).toEqual([
      'verified',
      'invalid_credentials',
      'invalid_credentials',
    ]);
  });

  it('B-10 takes a token for others as well only when it was issued to us', async () => {
    const of = (payload: object) => outcome(ofSecret(payload), BY_SECRET);
    expect(await of({ aud: [CLIENT.id, 'theirs'] })).toBe('invalid_credentials');
    expect(await of({ aud: [CLIENT.id, 'theirs'], azp: CLIENT.id })).toBe('verified');
    expect(await of({ aud: CLIENT.id, azp: 'theirs' })).toBe('invalid_credentials');
  });

  it('B-11 compares issuers character by character', async () => {
    const { issuer } = stage.issuer;
    for (const iss of [
      `${issuer}/`,
      issuer.toUpperCase(),
      issuer.replace('127', '１27'),
      undefined,
      [issuer],
    ]) {
      expect(await outcome(ofSecret({ iss }), BY_SECRET)).toBe('invalid_credentials');
    }
    const several = { ...BY_SECRET, issuer: ['https://one.example', 'https://two.example'] };
    expect(await outcome(ofSecret({ iss: 'https://two.example' }), several)).toBe('verified');
  });

  it('B-13 refuses a repeated member of the payload', async () => {
    const payload = JSON.stringify(stage.issuer.claimsOf('ada')).replace('{', '{"sub":"bob",');
    const token = signedToken({ header: { alg: 'HS256' }, payload, key: SECRET });
    expect(await outcome(token, BY_SECRET)).toBe('invalid_credentials');
  });

  it.each([{ crit: ['b64'], b64: false }, { b64: false }, { zip: 'DEF' }, { enc: 'A256GCM' }])(
    'B-14 refuses the header %j',
    async (header) => {
      expect(await outcome(ofSecret({}, header), BY_SECRET)).toBe('invalid_credentials');
    },
  );

  describe('B-15 one-time tokens', () => {
    const identity = async (payload: object, options: object) => {
      const verifier = stage.jwt({ ...BY_SECRET, ...options });
      return verifier.verify({ token: ofSecret(payload) }, { signal: AbortSignal.timeout(5000) });
    };

    it('B-15 are known by their jti, whatever else they hold', async () => {
      const of = async (payload: object) => (await identity(payload, { one_time: true })).oneTime!.id;
      expect(await of({ jti: 'a', name: 'Ada' })).toBe(await of({ jti: 'a' }));
      expect(await of({ jti: 'b' })).not.toBe(await of({ jti: 'a' }));
    });

    it('B-15 are refused without one', async () => {
      expect(await outcome(ofSecret({}), { ...BY_SECRET, one_time: true })).toBe('invalid_credentials');
    });

    it('are none where the definition does not say so', async () => {
      expect((await identity({ jti: 'a' }, {})).oneTime).toBeUndefined();
    });
  });

  it('B-17 tells apart two tokens that differ in their last character', async () => {
    const good = ofSecret();
    const verifier = stage.jwt(BY_SECRET);
    expect(await outcomeOf(verifier, { token: good })).toBe('verified');
    for (const last of ['A', 'B', 'w', '_'].filter((char) => char !== good.at(-1))) {
      expect(await outcomeOf(verifier, { token: good.slice(0, -1) + last })).toBe('invalid_credentials');
    }
  });

  it('B-18 refuses a key of another curve than the algorithm is for, and one that is too short', () => {
    const parse = (options: object) =>
      new JwtKind(stage.outbound, clock).optionsSchema.safeParse(
        stage.jwtOptions({ jwks_url: undefined, ...options }),
      );
    const p256 = ecKey('p256', 'P-256').jwk;
    expect(parse({ keys: [p256], algorithms: ['ES256'] }).success).toBe(true);
    expect(parse({ keys: [p256], algorithms: ['ES384'] }).success).toBe(false);
    expect(parse({ keys: [rsaKey('short', 1024).jwk] }).success).toBe(false);
  });

  it('B-18 refuses an HMAC of another length', async () => {
    const input = ofSecret({}, { alg: 'HS256' }).split('.').slice(0, 2).join('.');
    const mac = createHmac('sha512', SECRET).update(input).digest();
    for (const bytes of [mac, mac.subarray(0, 32), mac.subarray(0, 16), Buffer.alloc(32)]) {
      expect(await outcome(`${input}.${base64url(bytes)}`, BY_SECRET)).toBe('invalid_credentials');
    }
  });

  it('C-03 follows no redirect of the keys', async () => {
    const headers = { location: `${stage.issuer.issuer}/elsewhere` };
    stage.issuer.script('/jwks', { status: 302, body: '', headers });
    expect(await outcome(stage.issuer.token('ada'))).toBe('identity_provider_unavailable');
    expect(stage.issuer.requests).toEqual(['GET /jwks']);
  });

  it('C-05 refuses a token that is too long, before anything is asked', () => {
    const verifier: { credentialSchema: { safeParse(value: unknown): { success: boolean } } } = stage.jwt();
    expect(verifier.credentialSchema.safeParse({ token: 'x'.repeat(8193) }).success).toBe(false);
    expect(stage.issuer.requests).toEqual([]);
  });

  describe('D-02 takes an address for verified', () => {
    const verified = async (payload: object, options: object = {}) => {
      const identity = await stage
        .jwt({ ...BY_SECRET, ...options })
        .verify({ token: ofSecret(payload) }, { signal: AbortSignal.timeout(5000) });
      return identity.email?.verified;
    };

    it.each([false, undefined, 'true', 'false', 1, null, ['true'], {}])(
      'D-02 not when email_verified is %j',
      async (email_verified) => {
        expect(await verified({ email_verified })).toBe(false);
      },
    );

    it('D-02 when it is exactly true', async () => {
      expect(await verified({ email_verified: true })).toBe(true);
    });

    it('D-02 not when the operator maps another address than the one that was verified', async () => {
      const mapping = { email: '#{contact}' };
      const payload = { email_verified: true, contact: 'victim@example.org' };
      expect(await verified(payload, { mapping })).toBe(false);
      expect(
        await verified({ ...payload, contact_ok: true }, { mapping, email_verified_claim: 'contact_ok' }),
      ).toBe(true);
      expect(await verified(payload, { mapping, email_verified_claim: 'contact_ok' })).toBe(false);
    });

    it('D-02 not by what every object inherits', async () => {
      expect(await verified({}, { email_verified_claim: 'toString' })).toBe(false);
    });
  });

  it('gives each question to the client that was allowed to ask it', async () => {
    const closed: OutboundClient = stage.closed;
    expect(await outcomeOf(stage.jwt({}, closed), { token: stage.issuer.token('ada') })).toBe(
      'identity_provider_unavailable',
    );
  });
});
