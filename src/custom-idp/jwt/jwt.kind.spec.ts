import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { ecKey, rsaKey } from '../../../test/support/signed-token.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { keysOf } from './jwt.options.js';
import { JwtKind } from './jwt.kind.js';

const first = rsaKey('first');
const second = rsaKey('second');
const pemOf = (key: typeof first) => key.publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe(JwtKind.name, () => {
  const outbound = new OutboundClient({
    allow: [],
    connectMilliseconds: 1000,
    totalMilliseconds: 1000,
    maxResponseBytes: 1024,
    connectionsPerOrigin: 1,
  });
  const kind = new JwtKind(outbound, new ManualClock());
  const options = (overrides: object) => ({
    issuer: 'https://a.example',
    audience: 'us',
    algorithms: ['RS256'],
    ...overrides,
  });
  const parse = (overrides: object) => kind.optionsSchema.parse(options(overrides));
  const faults = (overrides: object) => {
    const parsed = kind.optionsSchema.safeParse(options(overrides));
    return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
  };

  it.each([
    ['utf-8', 'ü'.repeat(16), Buffer.from('ü'.repeat(16))],
    ['hex', 'AB'.repeat(32), Buffer.alloc(32, 0xab)],
    ['base64', Buffer.alloc(32, 0xff).toString('base64'), Buffer.alloc(32, 0xff)],
    ['base64', Buffer.alloc(32, 0xff).toString('base64').replace('=', ''), Buffer.alloc(32, 0xff)],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64url'), Buffer.alloc(32, 0xff)],
  ])('reads a secret that is spelled in %s', (secret_encoding, secret, bytes) => {
    expect(keysOf(parse({ algorithms: ['HS256'], secret, secret_encoding }))).toMatchObject({
      kind: 'secret',
      secret: new Uint8Array(bytes),
    });
  });

  it.each([
    ['hex', 'AB'.repeat(31) + 'XY'],
    ['hex', 'AB'.repeat(32) + 'A'],
    ['base64', Buffer.alloc(32, 0xff).toString('base64url')],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64')],
    ['base64', `${Buffer.alloc(32, 1).toString('base64')}\n`],
  ])('takes no secret that is not in %s: %j', (secret_encoding, secret) => {
    expect(faults({ algorithms: ['HS256'], secret, secret_encoding })).toEqual(['secret']);
  });

  it.each([
    ['PEM', [pemOf(first)]],
    ['PEM of RSA alone', [first.publicKey.export({ type: 'pkcs1', format: 'pem' })]],
    [
      'PEM with names',
      [
        { pem: pemOf(first), kid: 'a' },
        { pem: pemOf(second), kid: 'b' },
      ],
    ],
    ['JWK', [first.jwk, second.jwk]],
  ])('takes keys in %s', (_, keys) => {
    expect(faults({ keys })).toEqual([]);
  });

  it.each([
    ['a private key in PEM', [first.privateKey.export({ type: 'pkcs8', format: 'pem' })], 'keys.0'],
    ['a private key as JWK', [first.privateKey.export({ format: 'jwk' })], 'keys.0'],
    ['a secret as JWK', [{ kty: 'oct', k: 'AAAA' }], 'keys.0'],
    ['a key for encryption', [{ ...first.jwk, use: 'enc' }], 'keys.0'],
    ['text that is no key', ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'], 'keys.0'],
    ['a key for another algorithm', [ecKey('p256', 'P-256').jwk], 'keys.0'],
    ['two keys of which one has no name', [first.jwk, pemOf(second)], 'keys.1'],
    ['two keys of one name', [first.jwk, { ...second.jwk, kid: 'first' }], 'keys.1'],
  ])('takes for no keys: %s', (_, keys, place) => {
    expect(faults({ keys })).toEqual([place]);
  });

  it('sends a secret nowhere, and dials where its keys are', () => {
    const shared = parse({ algorithms: ['HS256'], secret: 'x'.repeat(32), secret_encoding: 'utf-8' });
    expect([kind.destinations(shared), kind.secretDestinations(shared)]).toEqual([[], []]);
    const fetched = parse({ jwks_url: 'https://keys.example/jwks?a=b' });
    expect(kind.destinations(fetched).map(String)).toEqual(['https://keys.example/jwks?a=b']);
    expect(kind.secretDestinations(fetched)).toEqual(['https://keys.example']);
  });

  it('warns of what whoever reads a token could do with it', () => {
    expect(kind.warnings(parse({ keys: [first.jwk] }))).toEqual([expect.stringContaining('one_time is off')]);
    expect(kind.warnings(parse({ keys: [first.jwk], one_time: true }))).toEqual([]);
  });

  it('C-21 knows where its secrets stand', () => {
    expect(kind.secretPaths).toEqual(['secret', 'tls.client_key']);
  });
});
