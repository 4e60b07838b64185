import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { getApps } from 'firebase-admin/app';
import type { IdentityVerifier } from '../../src/identity/identity-verifier.js';
import type { FirebaseKind } from '../../src/social-auth/firebase/firebase.kind.js';
import { firebaseKind, firebaseRef, openFirebase } from '../support/firebase/firebase-providers.js';
import {
  GoogleDouble,
  rsaKeys,
  signJwt,
  unsignedJwt,
  type TokenParts,
} from '../support/firebase/google-certs-double.js';

const REFUSED = { code: 'invalid_credentials' };
const FIREBASE_AUDIENCE =
  'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit';

describe('tokens sent to a Firebase provider', () => {
  let google: GoogleDouble;
  let kind: FirebaseKind;

  beforeAll(async () => {
    google = await GoogleDouble.start();
    kind = firebaseKind(google.outbound);
  });
  beforeEach(async () => {
    await google.comeBack();
    google.users.clear();
    google.lookupFault = null;
    google.asked.length = 0;
  });
  afterAll(async () => {
    await kind?.onApplicationShutdown();
    await google?.close();
  });

  let lastId = 0;
  /** An instance of its own. */
  const open = (options: object = {}) => openFirebase(kind, options, firebaseRef(++lastId));
  const verify = (verifier: IdentityVerifier, idToken: string) =>
    verifier.verify(verifier.credentialSchema.parse({ id_token: idToken }), {
      signal: AbortSignal.timeout(10_000),
    });
  const verifyParts = (parts: TokenParts, options: object = {}) =>
    verify(open(options), google.signIdToken(parts));
  /** A genuine token with this `firebase` claim. */
  const signedInBy = (method: string, payload: object = {}, firebase: object = {}): TokenParts => ({
    payload: {
      phone_number: undefined,
      ...payload,
      firebase: { sign_in_provider: method, identities: {}, ...firebase },
    },
  });

  it('A-04 refuses a token of one instance’s project at an instance of another project', async () => {
    const token = google.signIdToken();
    await expect(verify(open({ project_id: 'second-project' }), token)).rejects.toMatchObject(REFUSED);
    expect((await verify(open(), token)).subject).toBe('uid-of-ada');
  });

  it.each([
    ['audience of another project', { aud: 'other-project' }],
    ['issuer of another project', { iss: 'https://securetoken.google.com/other-project' }],
    ['issuer with a trailing slash', { iss: 'https://securetoken.google.com/demo-ostiary/' }],
    ['issuer in capitals', { iss: 'https://securetoken.google.com/DEMO-OSTIARY' }],
    ['list of audiences with ours in it', { aud: ['demo-ostiary', 'other-project'] }],
    ['missing audience', { aud: undefined }],
    ['missing issuer', { iss: undefined }],
  ])('A-06 refuses a token with the %s', async (_name, payload) => {
    await expect(verifyParts({ payload })).rejects.toMatchObject(REFUSED);
  });

  it.each([{ project_id: 'other-project' }, { projectId: 'other-project' }, { audience: 'other-project' }])(
    'A-06 takes no project from beside the token: %j',
    (beside) => {
      const parsed = open().credentialSchema.safeParse({ id_token: google.signIdToken(), ...beside });
      expect(parsed.success).toBe(false);
    },
  );

  it('A-16 takes the person from the token’s subject, whatever other claims name', async () => {
    const payload = { user_id: 'uid-of-bob', uid: 'uid-of-bob', id: 'uid-of-bob', localId: 'uid-of-bob' };
    expect((await verifyParts({ payload })).subject).toBe('uid-of-ada');
  });

  it.each<[string, TokenParts]>([
    ['session cookie', { payload: { iss: 'https://session.firebase.google.com/demo-ostiary' } }],
    [
      'custom token',
      {
        header: { kid: undefined },
        payload: { aud: FIREBASE_AUDIENCE, uid: 'uid-of-ada', firebase: undefined },
      },
    ],
    ['custom token with all claims of an ID token', { payload: { aud: FIREBASE_AUDIENCE } }],
  ])('A-07 refuses a %s', async (_name, parts) => {
    await expect(verifyParts(parts)).rejects.toMatchObject(REFUSED);
  });

  describe('A-08 refuses tokens without Google’s signature', () => {
    const unsigned = () => {
      const payload = google.signIdToken().split('.')[1]!;
      return unsignedJwt(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object);
    };
    const withHeader = (header: object) => {
      const [, payload, signature] = google.signIdToken().split('.');
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
    };

    it('as an emulator makes them', async () => {
      await expect(verify(open(), unsigned())).rejects.toMatchObject(REFUSED);
    });

    it.each(['none', 'None', 'nOnE', 'HS256', 'ES256', 'PS256', '', undefined])(
      'with alg %j',
      async (alg) => {
        await expect(verify(open(), withHeader({ alg, kid: 'x', typ: 'JWT' }))).rejects.toMatchObject(
          REFUSED,
        );
      },
    );

    it('also where the environment of the server names an emulator', async () => {
      process.env['FIREBASE_AUTH_EMULATOR_HOST'] = '127.0.0.1:1';
      try {
        const cut = google.signIdToken().split('.').slice(0, 2).join('.');
        for (const token of [unsigned(), `${cut}.`, `${cut}.AA`]) {
          await expect(verify(open(), token)).rejects.toMatchObject(REFUSED);
        }
      } finally {
        delete process.env['FIREBASE_AUTH_EMULATOR_HOST'];
      }
    });

    it('signed with a key of the sender', async () => {
      await expect(verifyParts({ key: rsaKeys().privateKey })).rejects.toMatchObject(REFUSED);
    });

    it('signed with a key of which Google knows nothing', async () => {
      await expect(verifyParts({ header: { kid: 'unknown' } })).rejects.toMatchObject(REFUSED);
    });

    it.each(['__proto__', 'constructor', 'toString'])('with the kid %s', async (kid) => {
      await expect(verifyParts({ header: { kid } })).rejects.toMatchObject(REFUSED);
    });

    it('with one character changed', async () => {
      const token = google.signIdToken();
      const [header, , signature] = token.split('.');
      const payload = google.signIdToken({ payload: { sub: 'somebody-else' } }).split('.')[1];
      await expect(verify(open(), `${header}.${payload}.${signature}`)).rejects.toMatchObject(REFUSED);
    });
  });

  describe('A-09 refuses tokens of another tenant than the definition’s', () => {
    const ofTenant = (tenant: unknown) => signedInBy('password', { email: 'a@example.org' }, { tenant });

    it.each([
      ['a tenant where there is none', undefined, 'tenant-1'],
      ['no tenant where there is one', 'tenant-1', undefined],
      ['another tenant', 'tenant-1', 'tenant-2'],
      ['a tenant that is no text', undefined, null],
      ['a tenant that is empty', undefined, ''],
    ])('%s', async (_name, tenant_id, tenant) => {
      await expect(verifyParts(ofTenant(tenant), { tenant_id })).rejects.toMatchObject(REFUSED);
    });

    it('and takes those of its own', async () => {
      const identity = await verifyParts(ofTenant('tenant-1'), { tenant_id: 'tenant-1' });
      expect(identity.subject).toBe('uid-of-ada');
    });
  });

  describe('A-10 judges how the person signed in', () => {
    it.each([
      ['anonymous', signedInBy('anonymous')],
      ['custom', signedInBy('custom')],
      ['facebook.com, which is not listed', signedInBy('facebook.com')],
      ['a phone without a number', signedInBy('phone')],
      ['a phone with a number that is none', signedInBy('phone', { phone_number: '0151' })],
      ['a password without an address', signedInBy('password')],
      ['no method', signedInBy('')],
      ['a method that is a list', { payload: { firebase: { sign_in_provider: ['phone'] } } }],
    ])('and refuses %s', async (_name, parts) => {
      await expect(verifyParts(parts)).rejects.toMatchObject(REFUSED);
    });

    it('and takes an anonymous user where the definition lists that', async () => {
      const identity = await verifyParts(signedInBy('anonymous'), { sign_in_methods: ['anonymous'] });
      expect(identity).toMatchObject({ subject: 'uid-of-ada', amr: ['fed'] });
    });

    it('and refuses a listed method that only begins alike', async () => {
      const parts = signedInBy('oidc.partner-evil');
      await expect(verifyParts(parts, { sign_in_methods: ['oidc.partner'] })).rejects.toMatchObject(REFUSED);
    });
  });

  describe('A-11 asks about revocation where the definition says so', () => {
    const checking = (options: object = {}) =>
      open({ check_revoked: true, service_account: google.serviceAccount, ...options });

    it('and takes a user in good standing', async () => {
      google.users.set('uid-of-ada', { validSince: '1' });
      expect((await verify(checking(), google.signIdToken())).subject).toBe('uid-of-ada');
    });

    it.each([
      ['was disabled', { disabled: true }],
      ['had her tokens revoked', { validSince: String(Math.floor(Date.now() / 1000)) }],
    ])('and refuses a user who %s', async (_name, user) => {
      google.users.set('uid-of-ada', user);
      await expect(verify(checking(), google.signIdToken())).rejects.toMatchObject(REFUSED);
    });

    it('and refuses a user who was deleted', async () => {
      await expect(verify(checking(), google.signIdToken())).rejects.toMatchObject(REFUSED);
    });

    it('and looks a tenant’s users up under the tenant', async () => {
      google.users.set('uid-of-ada', {});
      const parts = signedInBy('password', { email: 'a@example.org' }, { tenant: 'tenant-1' });
      await verify(checking({ tenant_id: 'tenant-1' }), google.signIdToken(parts));
      expect(google.asked.at(-1)).toBe(
        'identitytoolkit.googleapis.com/v1/projects/demo-ostiary/tenants/tenant-1/accounts:lookup',
      );
    });

    it('and fetches one access token for many', async () => {
      google.users.set('uid-of-ada', {});
      const verifier = checking();
      await Promise.all(Array.from({ length: 5 }, () => verify(verifier, google.signIdToken())));
      expect(google.asked.filter((asked) => asked.startsWith('oauth2.'))).toHaveLength(1);
    });

    it('and blames the definition when Google refuses the key', async () => {
      const private_key = rsaKeys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const verifier = checking({ service_account: { ...google.serviceAccount, private_key } });
      await expect(verify(verifier, google.signIdToken())).rejects.toMatchObject({
        code: 'identity_provider_misconfigured',
      });
    });

    it.each([
      [403, 'PERMISSION_DENIED', 'identity_provider_misconfigured'],
      [404, 'PROJECT_NOT_FOUND', 'identity_provider_misconfigured'],
      [429, 'QUOTA_EXCEEDED : Exceeded quota', 'identity_provider_unavailable'],
      [500, 'INTERNAL', 'identity_provider_unavailable'],
    ])('and answers for a look-up that ends with %i %s', async (status, message, code) => {
      google.lookupFault = { status, message };
      await expect(verify(checking(), google.signIdToken())).rejects.toMatchObject({ code });
    });

    it('and blames Google when it is down', async () => {
      const verifier = checking();
      await google.goDown();
      await expect(verify(verifier, google.signIdToken())).rejects.toMatchObject({
        code: 'identity_provider_unavailable',
      });
    });
  });

  it.each([
    undefined,
    '',
    '0',
    'null',
    'undefined',
    'a'.repeat(300),
    'nul\u0000inside',
    ' ',
    '[object Object]',
  ])('A-13 A-14 refuses the uid %j', async (sub) => {
    await expect(verifyParts({ payload: { sub } })).rejects.toMatchObject(REFUSED);
  });

  it.each<{ sub: unknown }>(
    [0, 7, null, true, [], ['uid-of-ada'], {}, { toString: 'x' }].map((sub) => ({ sub })),
  )('A-14 refuses the uid of %j, which is no text', async ({ sub }) => {
    await expect(verifyParts({ payload: { sub } })).rejects.toMatchObject(REFUSED);
  });

  it('A-14 refuses a token that tells the library not to look for a uid', async () => {
    const payload = { sub: undefined, event_type: 'beforeSendSms' };
    await expect(verifyParts({ payload })).rejects.toMatchObject(REFUSED);
  });

  it('A-15 keeps uids of digits as the text they are', async () => {
    const subjects = ['1', '001', '9007199254740993', '9007199254740992'];
    const verified = await Promise.all(subjects.map((sub) => verifyParts({ payload: { sub } })));
    expect(verified.map(({ subject }) => subject)).toEqual(subjects);
  });

  it.each(['at+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 7, null])(
    'A-19 refuses a token of the type %j',
    async (typ) => {
      await expect(verifyParts({ header: { typ } })).rejects.toMatchObject(REFUSED);
    },
  );

  it.each([
    ['access token', 'ya29.a0AfH6SMBx-opaque_access_token'],
    ['refresh token', 'AMf-vBxOpaqueRefreshToken_0123456789'],
    ['token in five parts (JWE)', 'a.b.c.d.e'],
    ['token with white space', ' a.b.c\n'],
  ])('A-19 refuses an %s', async (_name, token) => {
    await expect(verify(open(), token)).rejects.toMatchObject(REFUSED);
    expect(google.asked).toEqual([]);
  });

  it('A-19 refuses a header that demands what nobody here understands', async () => {
    const header = { crit: ['b64'], b64: false };
    await expect(verifyParts({ header })).rejects.toMatchObject(REFUSED);
  });

  it.each([
    ['is over', { exp: Math.floor(Date.now() / 1000) - 1 }],
    ['is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ['was proven in the future', { auth_time: Math.floor(Date.now() / 1000) + 3600 }],
    ['does not say when it was proven', { auth_time: undefined }],
    ['ends at a text', { exp: '99999999999' }],
  ])('B-09 refuses a token that %s', async (_name, payload) => {
    await expect(verifyParts({ payload })).rejects.toMatchObject(REFUSED);
  });

  it.each([true, false, 'true', 1, null, undefined])(
    'D-02 takes an address for verified only at exactly true, here %j',
    async (email_verified) => {
      const parts = signedInBy('password', { email: 'ada@example.org', email_verified });
      const { email } = await verifyParts(parts);
      expect(email).toEqual({ address: 'ada@example.org', verified: email_verified === true });
    },
  );

  it('D-02 takes a phone number for verified only where it is among the identities', async () => {
    const payload = { email: 'ada@example.org', phone_number: '+4915112345678' };
    const proven = await verifyParts(
      signedInBy('password', payload, { identities: { phone: ['+4915112345678'] } }),
    );
    const claimed = await verifyParts(
      signedInBy('password', payload, { identities: { phone: ['+4915199999999'] } }),
    );
    expect([proven.phone?.verified, claimed.phone?.verified]).toEqual([true, false]);
  });

  it('B-06 verifies with the certificates it has while Google is down', async () => {
    const verifier = open();
    await verify(verifier, google.signIdToken());
    await google.goDown();
    expect((await verify(verifier, google.signIdToken())).subject).toBe('uid-of-ada');
    await expect(verify(open(), google.signIdToken())).rejects.toMatchObject({
      code: 'identity_provider_unavailable',
    });
  });

  it('B-05 asks Google no more than once for tokens with unknown keys', async () => {
    const verifier = open();
    await verify(verifier, google.signIdToken());
    for (let i = 0; i < 20; i++) {
      const token = google.signIdToken({ header: { kid: `unknown-${i}` } });
      await expect(verify(verifier, token)).rejects.toMatchObject(REFUSED);
    }
    expect(google.asked).toHaveLength(1);
  });

  it('B-08 takes tokens of a key no longer than Google lets it keep the certificate', async () => {
    google.maxAgeSeconds = 0;
    try {
      const verifier = open();
      const old = google.signIdToken();
      await verify(verifier, old);
      google.rotateKeys();
      await expect(verify(verifier, old)).rejects.toMatchObject(REFUSED);
      expect((await verify(verifier, google.signIdToken())).subject).toBe('uid-of-ada');
    } finally {
      google.maxAgeSeconds = 20_000;
    }
  });

  it('asks nobody but for the certificates where revocation is not checked', async () => {
    await verify(open(), google.signIdToken());
    expect(google.asked).toEqual([
      'www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com',
    ]);
  });

  it('A-21 judges each of two hundred mixed sign-ins by its own definition', async () => {
    const projects = ['first-project', 'second-project'].map((project_id) => ({
      project_id,
      verifier: open({ project_id }),
    }));
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        const issuedTo = projects[i % 2]!.project_id;
        const asked = projects[Math.floor(i / 2) % 2]!;
        const payload = { aud: issuedTo, iss: `https://securetoken.google.com/${issuedTo}`, sub: `uid-${i}` };
        return verify(asked.verifier, google.signIdToken({ payload })).then(
          ({ subject }) => subject === `uid-${i}` && issuedTo === asked.project_id,
          ({ code }: { code?: unknown }) => code === REFUSED.code && issuedTo !== asked.project_id,
        );
      }),
    );
    expect(outcomes.every(Boolean)).toBe(true);
  });

  it('keeps one app of the library for each instance, of its latest version, and none after the end', async () => {
    const before = getApps().length;
    const own = firebaseKind(google.outbound);
    for (let version = 1; version <= 5; version++) {
      await verify(openFirebase(own, {}, firebaseRef(1, version)), google.signIdToken());
      await verify(openFirebase(own, {}, firebaseRef(2, version)), google.signIdToken());
    }
    expect(getApps().length).toBe(before + 2);
    expect(getApps().some(({ name }) => name === '[DEFAULT]')).toBe(false);
    await own.onApplicationShutdown();
    expect(getApps().length).toBe(before);
  });

  it('refuses tokens whose JSON is none, without asking Google', async () => {
    const { privateKey } = rsaKeys();
    const tokens = [signJwt([], [], privateKey), 'bm90anNvbg.bm90anNvbg.AA', '..', 'AA.AA.AA'];
    for (const token of tokens) await expect(verify(open(), token)).rejects.toMatchObject(REFUSED);
    expect(google.asked).toEqual([]);
  });

  it('takes no token longer than 8 KiB', () => {
    expect(open().credentialSchema.safeParse({ id_token: 'a'.repeat(8193) }).success).toBe(false);
  });
});
