import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { generateKeyPairSync } from 'node:crypto';
import { ManualClock } from '../../test/support/manual-clock.js';
import { scriptedServer, type ScriptedServer } from '../../test/support/scripted-server.js';
import { ecKey, rsaKey } from '../../test/support/signed-token.js';
import type { BrokerError } from '../errors/broker-error.js';
import { JwksCache } from './jwks-cache.js';
import { OutboundClient } from './outbound-client.js';

const first = rsaKey('first');
const second = rsaKey('second');

describe('JwksCache', () => {
  let clock: ManualClock;
  let server: ScriptedServer;
  let outbound: OutboundClient;
  let cache: JwksCache;

  beforeEach(async () => {
    clock = new ManualClock();
    server = await scriptedServer();
    publish(first.jwk);
    outbound = new OutboundClient({
      allow: ['127.0.0.1'],
      connectMilliseconds: 1000,
      totalMilliseconds: 3000,
      maxResponseBytes: 1024 * 1024,
      connectionsPerOrigin: 20,
    });
    cache = new JwksCache(new URL('/jwks', server.url), outbound, clock);
  });
  afterEach(async () => {
    await outbound.close();
    await server.close();
  });

  const publish = (...keys: object[]) => server.answer({ body: JSON.stringify({ keys }) });
  const find = (kid?: string, alg = 'RS256', signal = AbortSignal.timeout(10_000)) =>
    cache.find({ alg, kid }, signal).then(
      () => 'found',
      (error: BrokerError) => error.code,
    );

  it('fetches once for as long as the keys are young', async () => {
    await Promise.all(Array.from({ length: 20 }, () => find('first')));
    clock.advance({ minutes: 10 });
    expect(await find('first')).toBe('found');
    expect(server.requests).toHaveLength(1);
  });

  it('fetches again when they are older', async () => {
    await find('first');
    clock.advance({ minutes: 10, seconds: 1 });
    await find('first');
    expect(server.requests).toHaveLength(2);
  });

  it('B-05 asks once per cooldown for key ids that nobody knows', async () => {
    await find('first');
    const outcomes = await Promise.all(Array.from({ length: 1000 }, (_, i) => find(`unknown-${i}`)));
    expect(new Set(outcomes)).toEqual(new Set(['invalid_credentials']));
    expect(server.requests).toHaveLength(1);
    clock.advance({ seconds: 30 });
    await Promise.all(Array.from({ length: 1000 }, (_, i) => find(`unknown-${i}`)));
    expect(server.requests).toHaveLength(2);
    expect(await find('first')).toBe('found');
  });

  it('B-06 goes on with the keys it has for an hour while the issuer is away, and then blames the issuer', async () => {
    await find('first');
    server.answer({ status: 503, body: '' });
    clock.advance({ minutes: 70 });
    expect(await find('first')).toBe('found');
    clock.advance({ seconds: 1 });
    expect(await find('first')).toBe('identity_provider_unavailable');
    publish(first.jwk);
    expect(await find('first')).toBe('found');
  });

  it('B-06 blames the issuer for a key that it cannot be asked about', async () => {
    await find('first');
    server.answer({ status: 503, body: '' });
    clock.advance({ seconds: 30 });
    expect(await find('second')).toBe('identity_provider_unavailable');
    expect(await find('first')).toBe('found');
  });

  it('B-06 asks an issuer in trouble once per cooldown while it has keys', async () => {
    await find('first');
    server.answer({ status: 503, body: '' });
    clock.advance({ minutes: 11 });
    for (let i = 0; i < 50; i += 1) await find('first');
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['too many keys', () => JSON.stringify({ keys: Array.from({ length: 101 }, () => first.jwk) })],
    ['ten thousand keys', () => JSON.stringify({ keys: Array.from({ length: 10_000 }, () => ({})) })],
    ['too many bytes', () => JSON.stringify({ keys: [first.jwk], padding: 'x'.repeat(256 * 1024) })],
    ['no JSON', () => '<html></html>'],
    ['no key set', () => '[]'],
    ['keys that are no list', () => '{"keys":{"0":{}}}'],
    ['nothing', () => ''],
  ])('B-07 takes no key set of %s', async (_, body) => {
    server.answer({ body: body() });
    expect(await find('first')).toBe('identity_provider_unavailable');
  });

  it('B-07 cuts off a bomb', async () => {
    const body = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    server.answer({ body, headers: { 'content-encoding': 'gzip' } });
    expect(await find('first')).toBe('identity_provider_unavailable');
  });

  it('B-07 does not wait for a key set that never ends, and keeps the keys it has', async () => {
    await find('first');
    server.stall();
    clock.advance({ minutes: 11 });
    const controller = new AbortController();
    const outcome = find('first', 'RS256', controller.signal);
    controller.abort();
    expect(await outcome).toBe('identity_provider_unavailable');
  });

  it('B-08 takes a new key within one cooldown', async () => {
    await find('first');
    publish(first.jwk, second.jwk);
    expect(await find('second')).toBe('invalid_credentials');
    clock.advance({ seconds: 30 });
    expect(await find('second')).toBe('found');
  });

  it('B-08 drops a withdrawn key within the age of the keys', async () => {
    await find('first');
    publish(second.jwk);
    clock.advance({ minutes: 10, seconds: 1 });
    expect(await find('first')).toBe('invalid_credentials');
    expect(await find('second')).toBe('found');
  });

  it('B-18 leaves out keys that are too weak or of no use, and keeps the others', async () => {
    const { d, p, q, dp, dq, qi } = first.privateKey.export({ format: 'jwk' });
    const odd = [
      { kty: 'oct', kid: 'shared', k: 'AAAA', alg: 'HS256' },
      { ...rsaKey('short', 1024).jwk },
      { ...second.jwk, kid: 'encrypts', use: 'enc' },
      { ...first.jwk, kid: 'private', d, p, q, dp, dq, qi },
      { kty: 'RSA', kid: 'empty' },
      null,
      7,
    ];
    publish(...(odd as object[]), first.jwk);
    const outcomes = [];
    for (const kid of ['shared', 'short', 'encrypts', 'private', 'empty']) outcomes.push(await find(kid));
    expect(outcomes).toEqual(Array<string>(5).fill('invalid_credentials'));
    expect(await find('shared', 'HS256')).toBe('invalid_credentials');
    expect(await find('first')).toBe('found');
  });

  it('B-18 gives no key of another curve than the algorithm is for', async () => {
    publish(ecKey('p256', 'P-256').jwk);
    expect(await find('p256', 'ES384')).toBe('invalid_credentials');
    expect(await find('p256', 'ES256')).toBe('found');
  });

  it('takes the only key for a token that names none, and none of several', async () => {
    expect(await find()).toBe('found');
    publish(first.jwk, second.jwk);
    clock.advance({ minutes: 11 });
    expect(await find()).toBe('invalid_credentials');
  });

  it('measures a key without counting its leading zeros', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const n = Buffer.from(String(publicKey.export({ format: 'jwk' }).n), 'base64url');
    const padded = Buffer.concat([Buffer.alloc(128), n]).toString('base64url');
    publish({ ...first.jwk, kid: 'padded', n: padded });
    expect(await find('padded')).toBe('invalid_credentials');
  });
});
