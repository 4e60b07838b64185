import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { IdentityVerifier } from '../../src/identity/identity-verifier.js';
import { OutboundClient } from '../../src/outbound/outbound-client.js';
import type { FirebaseKind } from '../../src/social-auth/firebase/firebase.kind.js';
import { FirebaseEmulator } from '../support/firebase/emulator.js';
import { firebaseKind, firebaseRef, LogLines, openFirebase } from '../support/firebase/firebase-providers.js';
import { GoogleDouble, OUTBOUND, unsignedJwt } from '../support/firebase/google-certs-double.js';

const METHODS = ['phone', 'password', 'google.com'];

describe('Firebase, with the real Auth emulator', () => {
  let emulator: FirebaseEmulator;
  let outbound: OutboundClient;
  let kind: FirebaseKind;
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    emulator = await FirebaseEmulator.start();
    outbound = new OutboundClient(OUTBOUND);
    kind = firebaseKind(outbound);
  }, 120_000);
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  afterAll(async () => {
    await kind?.onApplicationShutdown();
    await outbound?.close();
    await emulator?.stop();
  });

  const open = (options: object = {}, of = kind) =>
    openFirebase(of, { emulator: { host: emulator.host }, sign_in_methods: METHODS, ...options });
  const verify = (verifier: IdentityVerifier, idToken: string, signal = AbortSignal.timeout(10_000)) =>
    verifier.verify(verifier.credentialSchema.parse({ id_token: idToken }), { signal });
  /** Another kind, ended after the test. */
  const kindWith = (more: Parameters<typeof firebaseKind>[1]) => {
    const made = firebaseKind(outbound, more);
    closers.push(() => made.onApplicationShutdown());
    return made;
  };

  it('signs in with a phone number and the code of the message', async () => {
    const { idToken, localId } = await emulator.signInWithPhone('+4915112345601');
    expect(await verify(open(), idToken)).toMatchObject({
      provider: firebaseRef(),
      subject: localId,
      phone: { number: '+4915112345601' },
      amr: ['sms'],
    });
  });

  it('signs in with an e-mail address and a password', async () => {
    const { idToken, localId } = await emulator.signUpWithEmail('ada@example.org');
    expect(await verify(open(), idToken)).toMatchObject({
      subject: localId,
      email: { address: 'ada@example.org' },
      amr: ['pwd'],
    });
  });

  it('signs in with Google', async () => {
    const { idToken, localId } = await emulator.signInWithGoogle(
      '110248495921238986420',
      'grace@example.org',
    );
    expect(await verify(open(), idToken)).toMatchObject({
      subject: localId,
      email: { address: 'grace@example.org' },
      profile: { name: 'Ada Lovelace' },
      amr: ['fed'],
    });
  });

  it('says when the person signed in there', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const { idToken } = await emulator.signInWithPhone('+4915112345602');
    const { authTime } = await verify(open(), idToken);
    expect(authTime.getTime()).toBeGreaterThanOrEqual(before);
    expect(authTime.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('never takes an address for verified, because anybody may verify any at an emulator', async () => {
    const signedUp = await emulator.signUpWithEmail('eve@example.org');
    await emulator.verifyEmail(signedUp);
    const { idToken } = await emulator.signInWithEmail('eve@example.org');
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1]!, 'base64url').toString()) as object;
    expect(claims).toMatchObject({ email_verified: true });
    expect((await verify(open(), idToken)).email).toEqual({ address: 'eve@example.org', verified: false });
    const phone = await emulator.signInWithPhone('+4915112345603');
    expect((await verify(open(), phone.idToken)).phone?.verified).toBe(false);
  });

  it('A-04 refuses a token of another project of the emulator', async () => {
    const { idToken } = await emulator.signInWithPhone('+4915112345604');
    const other = open({ project_id: 'demo-other' });
    await expect(verify(other, idToken)).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('A-08 refuses a token of the emulator at a real instance, while an emulator instance lives in the process', async () => {
    const { idToken } = await emulator.signInWithPhone('+4915112345605');
    await verify(open(), idToken);
    const real = openFirebase(kind, {}, firebaseRef(2));
    await expect(verify(real, idToken)).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(process.env['FIREBASE_AUTH_EMULATOR_HOST']).toBeUndefined();
  });

  it('A-08 refuses an unsigned token of a user whom the emulator does not have', async () => {
    const { idToken } = await emulator.signInWithPhone('+4915112345606');
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1]!, 'base64url').toString()) as object;
    const forged = unsignedJwt({ ...claims, sub: 'nobody', user_id: 'nobody' });
    await expect(verify(open(), forged)).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('A-08 refuses a signed token at an emulator instance', async () => {
    const google = await GoogleDouble.start();
    closers.push(() => google.close());
    await expect(verify(open(), google.signIdToken())).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('A-10 refuses an anonymous user unless the definition lists that', async () => {
    const { idToken, localId } = await emulator.signInAnonymously();
    await expect(verify(open(), idToken)).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect((await verify(open({ sign_in_methods: ['anonymous'] }), idToken)).subject).toBe(localId);
  });

  it('A-11 refuses a user who was disabled', async () => {
    const { idToken, localId } = await emulator.signInWithPhone('+4915112345607');
    await emulator.disable(localId);
    await expect(verify(open(), idToken)).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('A-11 refuses a token that was revoked', async () => {
    const { idToken, localId } = await emulator.signInWithPhone('+4915112345608');
    await emulator.revoke(localId);
    await expect(verify(open(), idToken)).rejects.toMatchObject({ code: 'invalid_credentials' });
  });

  it('answers many at once, each with its own identity', async () => {
    const verifier = open();
    const people = await Promise.all(
      Array.from({ length: 20 }, (_, i) => emulator.signInWithPhone(`+49151000000${10 + i}`)),
    );
    const identities = await Promise.all(people.map(({ idToken }) => verify(verifier, idToken)));
    expect(identities.map(({ subject }) => subject)).toEqual(people.map(({ localId }) => localId));
  });

  it('starts its thread anew after the thread died, and blames the provider for what was lost', async () => {
    const worker = pathToFileURL(
      join(import.meta.dirname, '..', 'support', 'firebase', 'mortal-emulator-worker.mjs'),
    );
    const verifier = open({}, kindWith({ worker }));
    const { idToken, localId } = await emulator.signInWithPhone('+4915112345609');
    await verify(verifier, idToken);
    const fatal = unsignedJwt({ sub: 'the-end', firebase: {} });
    await expect(verify(verifier, fatal)).rejects.toMatchObject({ code: 'identity_provider_unavailable' });
    expect((await verify(verifier, idToken)).subject).toBe(localId);
  });

  it('blames the provider when the thread cannot start at all', async () => {
    const verifier = open({}, kindWith({ worker: new URL('file:///nonexistent/worker.js') }));
    const { idToken } = await emulator.signInWithPhone('+4915112345610');
    await expect(verify(verifier, idToken)).rejects.toMatchObject({ code: 'identity_provider_unavailable' });
  });

  it('blames the provider when the emulator is down', async () => {
    const { idToken } = await emulator.signInWithPhone('+4915112345611');
    const nobody = open({ emulator: { host: '127.0.0.1:1' } });
    await expect(verify(nobody, idToken)).rejects.toMatchObject({ code: 'identity_provider_unavailable' });
  });

  it('stops waiting for an emulator that says nothing when the signal aborts', async () => {
    const silent = await listening(createServer(() => controller.abort()));
    closers.push(() => ended(silent));
    const controller = new AbortController();
    const { idToken } = await emulator.signInWithPhone('+4915112345612');
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const outcome = verify(open({ emulator: { host } }), idToken, controller.signal);
    await expect(outcome).rejects.toMatchObject({ code: 'identity_provider_unavailable' });
  });

  it('dials an emulator only where OUTBOUND_ALLOW names it', async () => {
    const { idToken } = await emulator.signInWithPhone('+4915112345613');
    const guarded = kindWith({ outboundConfig: { ...OUTBOUND, allow: [] } });
    const verifying = [
      verify(open({}, guarded), idToken),
      verify(open({ emulator: { host: emulator.host.replace('127.0.0.1', 'localhost') } }, guarded), idToken),
    ];
    for (const outcome of await Promise.allSettled(verifying)) {
      expect(outcome).toMatchObject({ reason: { code: 'identity_provider_unavailable' } });
    }
  });

  describe('under NODE_ENV=production', () => {
    const before = process.env['NODE_ENV'];
    beforeAll(() => void (process.env['NODE_ENV'] = 'production'));
    afterAll(() => void (process.env['NODE_ENV'] = before));

    it('A-08 refuses emulators, and says so when the definition is saved', async () => {
      const refusing = kindWith({});
      const { idToken } = await emulator.signInWithPhone('+4915112345614');
      await expect(verify(open({}, refusing), idToken)).rejects.toMatchObject({
        code: 'identity_provider_misconfigured',
      });
      const options = refusing.optionsSchema.parse({
        project_id: 'demo-ostiary',
        emulator: { host: emulator.host },
      });
      expect(refusing.warnings(options)).toContainEqual(expect.stringContaining('NODE_ENV is production'));
    });

    it('takes them where the operator insists, and logs it', async () => {
      const logger = new LogLines();
      const insisting = kindWith({ config: { insecureFirebaseEmulatorInProduction: true }, logger });
      const { idToken, localId } = await emulator.signInWithPhone('+4915112345615');
      expect((await verify(open({}, insisting), idToken)).subject).toBe(localId);
      expect(logger.lines).toEqual([
        ['warn', expect.objectContaining({ slug: 'firebase' }), 'a Firebase emulator signs people in'],
      ]);
    });
  });
});

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function ended(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
