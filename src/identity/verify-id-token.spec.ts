import { beforeAll, describe, expect, it } from '@jest/globals';

import type { CryptoKey } from 'jose';
import { ManualClock } from '../../test/support/manual-clock.js';
import { base64url, ecKey, rsaKey, signedToken, type SigningKey } from '../../test/support/signed-token.js';
import { BrokerError } from '../errors/broker-error.js';
import { verifyIdToken, type IdTokenExpectations } from './verify-id-token.js';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'our-client';

describe('verifyIdToken', () => {
  const clock = new ManualClock();
  const now = () => clock.now() / 1000;
  let rsa: SigningKey;
  let p256: SigningKey;
  let p384: SigningKey;
  let asked: { alg: string; kid?: string | undefined }[] = [];

  beforeAll(() => {
    rsa = rsaKey('rsa');
    p256 = ecKey('p256', 'P-256');
    p384 = ecKey('p384', 'P-384');
  });

  /** Gives whatever key the token names, of whatever kind: what refuses here is the verification itself. */
  const expectations = (overrides: Partial<IdTokenExpectations> = {}): IdTokenExpectations => ({
    keys: {
      find: async (header) => {
        asked.push(header);
        const key = [rsa, p256, p384].find(({ kid }) => kid === header.kid) ?? rsa;
        return cryptoKey(key, header.alg);
      },
    },
    issuers: [ISSUER],
    audiences: [AUDIENCE],
    algorithms: ['RS256', 'ES256', 'ES384'],
    clock,
    signal: new AbortController().signal,
    ...overrides,
  });
  const claims = (overrides: object = {}) => ({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: '42',
    iat: now(),
    exp: now() + 3600,
    ...overrides,
  });
  const token = (overrides: object = {}, header: object = {}, key = rsa) =>
    signedToken({
      header: { alg: 'RS256', kid: key.kid, ...header },
      payload: claims(overrides),
      key: key.privateKey,
    });
  const outcome = async (text: string, overrides: Partial<IdTokenExpectations> = {}) => {
    asked = [];
    try {
      await verifyIdToken(text, expectations(overrides));
      return 'verified';
    } catch (error) {
      return error instanceof BrokerError ? error.code : error;
    }
  };

  it('gives the claims of a token that is as expected', async () => {
    const { claims: verified, authTime } = await verifyIdToken(token({ name: 'Ada' }), expectations());
    expect(verified).toEqual(claims({ name: 'Ada' }));
    expect(authTime).toEqual(new Date(clock.now()));
  });

  it('takes ECDSA where the definition lists it', async () => {
    expect(await outcome(token({}, { alg: 'ES256' }, p256))).toBe('verified');
  });

  it('says when the person proved it, and never that it is yet to come', async () => {
    const earlier = await verifyIdToken(token({ auth_time: now() - 500 }), expectations());
    const later = await verifyIdToken(token({ auth_time: now() + 500 }), expectations());
    expect([earlier.authTime.getTime(), later.authTime.getTime()]).toEqual([
      clock.now() - 500_000,
      clock.now(),
    ]);
  });

  it.each(['none', 'None', 'nOnE', 'NONE', '', undefined, null, ['RS256'], 'rs256', 'HS256'])(
    'B-01 refuses a token of algorithm %j',
    async (alg) => {
      const header = { alg, kid: 'rsa' };
      const unsigned = signedToken({ header, payload: claims(), key: null });
      const signed = signedToken({ header, payload: claims(), key: rsa.privateKey });
      expect([await outcome(unsigned), await outcome(signed)]).toEqual([
        'invalid_credentials',
        'invalid_credentials',
      ]);
      expect(asked).toEqual([]);
    },
  );

  it('B-01 refuses a token whose signature was cut off', async () => {
    const [header, payload] = token().split('.');
    expect(await outcome(`${header}.${payload}.`)).toBe('invalid_credentials');
    expect(await outcome(`${header}.${payload}`)).toBe('invalid_credentials');
  });

  it('B-02 takes no public key for a shared secret, however it is written', async () => {
    const spki = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const spellings = [spki, spki.trim(), ` ${spki}`, spki.replaceAll('\n', '\r\n'), pkcs1];
    for (const key of [...spellings, JSON.stringify(rsa.jwk)]) {
      for (const alg of ['HS256', 'RS256']) {
        const forged = signedToken({ header: { alg, kid: 'rsa' }, payload: claims(), key });
        expect(await outcome(forged)).toBe('invalid_credentials');
      }
    }
  });

  it('B-02 takes no algorithm that the definition does not list', async () => {
    expect(await outcome(token({}, { alg: 'ES256' }, p256), { algorithms: ['RS256'] })).toBe(
      'invalid_credentials',
    );
    expect(asked).toEqual([]);
  });

  it('B-03 looks at no key that the token brings along', async () => {
    const attacker = rsaKey('attacker');
    const header = {
      alg: 'RS256',
      kid: 'rsa',
      jku: 'https://attacker.example/jwks',
      x5u: 'https://attacker.example/cert',
      jwk: attacker.jwk,
      x5c: ['MIIB'],
    };
    const forged = signedToken({ header, payload: claims(), key: attacker.privateKey });
    expect(await outcome(forged)).toBe('invalid_credentials');
    expect(asked).toEqual([{ alg: 'RS256', kid: 'rsa' }]);
  });

  it.each([[{}], [['rsa']], [7], [null], [''], ['x'.repeat(257)], ['x'.repeat(10_000)]])(
    'B-04 refuses the key id %j without a look at the keys',
    async (kid) => {
      expect(await outcome(token({}, { kid }))).toBe('invalid_credentials');
      expect(asked).toEqual([]);
    },
  );

  it('B-04 hands odd key ids on as the text they are', async () => {
    const kids = ['../../dev/null', "' OR 1=1 --", 'file:///etc/passwd', 'x'.repeat(256)];
    for (const kid of kids) {
      await outcome(token({}, { kid }));
      expect(asked).toEqual([{ alg: 'RS256', kid }]);
    }
  });

  const at = (claim: string, seconds: number) => ({ [claim]: now() + seconds });
  it.each([
    ['exp', -59, 'verified'],
    ['exp', -60, 'invalid_credentials'],
    ['exp', -61, 'invalid_credentials'],
    ['exp', -59.5, 'verified'],
    ['nbf', 59, 'verified'],
    ['nbf', 60, 'verified'],
    ['nbf', 61, 'invalid_credentials'],
    ['iat', 60, 'verified'],
    ['iat', 61, 'invalid_credentials'],
    ['iat', 86_400, 'invalid_credentials'],
  ])('B-09 judges %s of %d seconds from now: %s', async (claim, seconds, expected) => {
    expect(await outcome(token(at(claim, seconds)))).toBe(expected);
  });

  it.each(['9999999999', -1, undefined, null, true, [], {}, 1e300])(
    'B-09 refuses the expiry %j',
    async (exp) => {
      expect(await outcome(token({ exp }))).toBe('invalid_credentials');
    },
  );

  it('B-09 refuses an expiry beyond all numbers', async () => {
    const payload = JSON.stringify(claims({ exp: 0 })).replace('"exp":0', '"exp":1e400');
    const endless = signedToken({ header: { alg: 'RS256', kid: 'rsa' }, payload, key: rsa.privateKey });
    expect(await outcome(endless)).toBe('invalid_credentials');
  });

  it.each(['iat', 'nbf'])('B-09 refuses %s as a text', async (claim) => {
    expect(await outcome(token({ [claim]: String(now()) }))).toBe('invalid_credentials');
  });

  it.each([
    [-600, 'verified'],
    [-659, 'verified'],
    [-660, 'invalid_credentials'],
  ])('B-09 judges an age limit of ten minutes at %d seconds: %s', async (seconds, expected) => {
    expect(await outcome(token(at('iat', seconds)), { maxAgeSeconds: 600 })).toBe(expected);
  });

  it('B-09 refuses a token of unknown age where there is an age limit', async () => {
    expect(await outcome(token({ iat: undefined }), { maxAgeSeconds: 600 })).toBe('invalid_credentials');
  });

  it.each([
    ['our client alone', { aud: [AUDIENCE] }, 'verified'],
    ['two clients of ours', { aud: [AUDIENCE, 'our-other'] }, 'verified'],
    ['our client twice', { aud: [AUDIENCE, AUDIENCE] }, 'verified'],
    ['ours and others, issued to us', { aud: [AUDIENCE, 'theirs'], azp: AUDIENCE }, 'verified'],
    ['ours and others', { aud: [AUDIENCE, 'theirs'] }, 'invalid_credentials'],
    ['ours and others, issued to them', { aud: [AUDIENCE, 'theirs'], azp: 'theirs' }, 'invalid_credentials'],
    ['ours, issued to others', { aud: AUDIENCE, azp: 'theirs' }, 'invalid_credentials'],
    ['others, issued to us', { aud: ['theirs'], azp: AUDIENCE }, 'invalid_credentials'],
    ['others', { aud: 'theirs' }, 'invalid_credentials'],
    ['nobody', { aud: [] }, 'invalid_credentials'],
    ['nobody named', { aud: undefined }, 'invalid_credentials'],
    ['a part of ours', { aud: 'our' }, 'invalid_credentials'],
    ['ours among other types', { aud: [AUDIENCE, 7] }, 'invalid_credentials'],
    ['an object', { aud: { [AUDIENCE]: true } }, 'invalid_credentials'],
  ])('B-10 judges a token for %s', async (_, audience, expected) => {
    const audiences = [AUDIENCE, 'our-other'];
    expect(await outcome(token(audience), { audiences })).toBe(expected);
  });

  it.each([
    `${ISSUER}/`,
    'https://Issuer.example',
    'HTTPS://issuer.example',
    'https://issuer.example ',
    'https://issuer.example:443',
    'http://issuer.example',
    'https://іssuer.example',
    'https://issuer.example.attacker.example',
    '',
    undefined,
    [ISSUER],
  ])('B-11 refuses the issuer %j', async (iss) => {
    expect(await outcome(token({ iss }))).toBe('invalid_credentials');
  });

  const signedText = (header: string, payload: string) =>
    signedToken({ header, payload, key: rsa.privateKey });
  const goodHeader = '{"alg":"RS256","kid":"rsa"}';
  const goodPayload = () => JSON.stringify(claims());

  it('B-13 refuses a repeated member of the payload, also when it is spelled otherwise', async () => {
    const twice = goodPayload().replace('{', '{"sub":"1",');
    const spelled = goodPayload().replace('{', '{"\\u0073ub":"1",');
    const nested = goodPayload().replace('{', '{"x":{"a":1,"a":2},');
    for (const payload of [twice, spelled, nested]) {
      expect(await outcome(signedText(goodHeader, payload))).toBe('invalid_credentials');
    }
  });

  it('B-13 refuses a repeated member of the header', async () => {
    const header = goodHeader.replace('{', '{"alg":"none",');
    expect(await outcome(signedText(header, goodPayload()))).toBe('invalid_credentials');
  });

  it.each([
    { crit: ['exp'] },
    { crit: ['b64'], b64: false },
    { crit: [] },
    { b64: false },
    { b64: true },
    { zip: 'DEF' },
    { enc: 'A256GCM' },
  ])('B-14 refuses the header %j', async (header) => {
    expect(await outcome(token({}, header))).toBe('invalid_credentials');
    expect(asked).toEqual([]);
  });

  it('B-14 refuses an encrypted token and one that is too long, unread', async () => {
    const jwe = [base64url('{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}'), 'a', 'b', 'c', 'd'].join('.');
    const long = token({ padding: 'x'.repeat(9000) });
    expect([await outcome(jwe), await outcome(long)]).toEqual(['invalid_credentials', 'invalid_credentials']);
  });

  it.each(['', '.', '..', '...', 'a.b.c', 'e30.e30.e30', 'null', '\u0000', '💥.💥.💥', 'x'.repeat(100_000)])(
    'B-14 refuses %j',
    async (text) => {
      expect(await outcome(text)).toBe('invalid_credentials');
    },
  );

  it.each(['[]', '"text"', 'null', '7', '{', '', '\ufeff{}'])(
    'B-14 refuses the payload %j and the same as header',
    async (text) => {
      expect(await outcome(signedText(goodHeader, text))).toBe('invalid_credentials');
      expect(await outcome(signedText(text, goodPayload()))).toBe('invalid_credentials');
    },
  );

  it('B-16 compares the nonce where one is expected', async () => {
    const nonce = 'n-1';
    const outcomes = [];
    for (const given of ['n-1', 'n-2', '', undefined, ['n-1'], null]) {
      outcomes.push(await outcome(token({ nonce: given }), { nonce }));
    }
    expect(outcomes).toEqual(['verified', ...Array<string>(5).fill('invalid_credentials')]);
  });

  it('B-17 tells apart two tokens that differ in their last character, all spellings of it included', async () => {
    const good = token();
    expect(await outcome(good)).toBe('verified');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const others = [...alphabet].filter((char) => char !== good.at(-1));
    for (const char of others) {
      expect(await outcome(good.slice(0, -1) + char)).toBe('invalid_credentials');
    }
    for (const suffix of ['=', '==', ' ', '\n', 'A']) {
      expect(await outcome(good + suffix)).toBe('invalid_credentials');
    }
    expect(await outcome(good)).toBe('verified');
  });

  it('B-18 refuses an ECDSA signature of zeros', async () => {
    const [header, payload] = token({}, { alg: 'ES256' }, p256).split('.');
    expect(await outcome(`${header}.${payload}.${base64url(Buffer.alloc(64))}`)).toBe('invalid_credentials');
  });

  it('B-18 refuses an ECDSA signature in another encoding', async () => {
    const [header, payload] = token({}, { alg: 'ES256' }, p256).split('.');
    const der = Buffer.concat([
      Buffer.from([0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]),
      Buffer.alloc(56),
    ]);
    expect(await outcome(`${header}.${payload}.${base64url(der)}`)).toBe('invalid_credentials');
  });

  it('B-18 refuses a key of another curve than the algorithm is for', async () => {
    expect(await outcome(token({}, { alg: 'ES384' }, p256))).toBe('invalid_credentials');
    expect(await outcome(token({}, { alg: 'ES256' }, p384))).toBe('invalid_credentials');
  });

  it('B-18 refuses an RSA key that is too short', async () => {
    const weak = rsaKey('weak', 1024);
    const keys = { find: () => cryptoKey(weak, 'RS256') };
    expect(await outcome(token({}, {}, weak), { keys })).toBe('invalid_credentials');
  });

  it.each(['at+jwt', 'application/at+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', '', 7, 'JWTx'])(
    'A-19 refuses a token of type %j',
    async (typ) => {
      expect(await outcome(token({}, { typ }))).toBe('invalid_credentials');
    },
  );

  it.each(['JWT', 'jwt', 'application/jwt'])('A-19 takes a token of type %s', async (typ) => {
    expect(await outcome(token({}, { typ }))).toBe('verified');
  });

  it('asks for no key before the token claims to be for us', async () => {
    await outcome(token({ aud: 'theirs' }));
    expect(asked).toEqual([]);
  });

  it('passes on what keeps the keys away', async () => {
    const keys = { find: () => Promise.reject(new BrokerError('identity_provider_unavailable')) };
    expect(await outcome(token(), { keys })).toBe('identity_provider_unavailable');
  });

  it('names a token by its jti, or by what is signed', async () => {
    const idOf = async (text: string) => (await verifyIdToken(text, expectations())).oneTime.id;
    const ids = await Promise.all([
      idOf(token({ jti: 'a' })),
      idOf(token({ jti: 'a', name: 'Ada' })),
      idOf(token({ jti: 'b' })),
      idOf(token()),
      idOf(token({ name: 'Ada' })),
    ]);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(4);
    expect(ids.every((id) => /^[0-9a-f]{64}$/.test(id))).toBe(true);
  });

  it('keeps the id of a token for as long as the token would be taken', async () => {
    const expiry = async (overrides: Partial<IdTokenExpectations>) =>
      (await verifyIdToken(token(), expectations(overrides))).oneTime.expiresAt.getTime() - clock.now();
    expect(await expiry({})).toBe(3_660_000);
    expect(await expiry({ maxAgeSeconds: 600 })).toBe(660_000);
  });

  it('blames nobody with what the token holds', async () => {
    const error = await verifyIdToken(token({ aud: 'a-very-secret-audience' }), expectations()).catch(
      (thrown: BrokerError) => thrown,
    );
    expect(String((error as BrokerError).cause)).not.toContain('a-very-secret-audience');
  });
});

/** Imported without any check of its strength or of its fitness for the algorithm. */
function cryptoKey(key: SigningKey, alg: string): Promise<CryptoKey> {
  const bytes = key.publicKey.export({ type: 'spki', format: 'der' });
  const algorithm =
    key.publicKey.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${alg.slice(2)}` }
      : { name: 'ECDSA', namedCurve: String(key.jwk['crv']) };
  return crypto.subtle.importKey('spki', new Uint8Array(bytes), algorithm, false, ['verify']);
}
