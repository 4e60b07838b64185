import { randomUUID } from 'node:crypto';
import { describeIdentityVerifier } from './identity-verifier.contract.js';
import { firebaseKind, openFirebase } from '../support/firebase/firebase-providers.js';
import { GoogleDouble, unsignedJwt, type TokenParts } from '../support/firebase/google-certs-double.js';

const HOUR = 3600;

/** Each is genuine but for what its name says. */
const REFUSED: Readonly<Record<string, (google: GoogleDouble) => string>> = {
  'a token of another project': (google) =>
    google.signIdToken({
      payload: { aud: 'other-project', iss: 'https://securetoken.google.com/other-project' },
    }),
  'an expired token': (google) => {
    const now = Math.floor(Date.now() / 1000);
    return google.signIdToken({
      payload: { auth_time: now - 2 * HOUR, iat: now - 2 * HOUR, exp: now - HOUR },
    });
  },
  'a session cookie': (google) =>
    google.signIdToken({ payload: { iss: 'https://session.firebase.google.com/demo-ostiary' } }),
  'a custom token': (google) =>
    google.signIdToken({
      payload: {
        iss: 'admin@demo-ostiary.iam.gserviceaccount.com',
        sub: 'admin@demo-ostiary.iam.gserviceaccount.com',
        aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit',
        uid: 'uid-of-ada',
        firebase: undefined,
      },
    }),
  'an unsigned token': (google) => unsignedJwt(payloadOf(google.signIdToken())),
  'a token of a tenant': (google) =>
    google.signIdToken({ payload: { firebase: { sign_in_provider: 'phone', tenant: 'tenant-1' } } }),
  'an anonymous user': (google) =>
    google.signIdToken({ payload: { firebase: { sign_in_provider: 'anonymous', identities: {} } } }),
  'text that is no token': () => 'this is certainly not a token',
};

describeIdentityVerifier(
  'firebase',
  async () => {
    const google = await GoogleDouble.start();
    // Certificates are asked for at each verification, so that each notices what becomes of Google.
    google.maxAgeSeconds = 0;
    const kind = firebaseKind(google.outbound);
    return {
      verifier: openFirebase(kind, {}),
      credentialOf: (person) => Promise.resolve(credential(google, person)),
      refused: (name) => Promise.resolve({ id_token: REFUSED[name]!(google) }),
      goDown: () => google.goDown(),
      comeBack: () => google.comeBack(),
      stall: () => Promise.resolve(google.stall()),
      talkRubbish: () => Promise.resolve(google.talkRubbish()),
      // The addresses are constants of Google.
      verifierOfRefusedAddress: null,
      secrets: [google.serviceAccount.private_key, 'PLAINTEXT-OF-GOOGLE'],
      close: async () => {
        await kind.onApplicationShutdown();
        await google.close();
      },
    };
  },
  Object.keys(REFUSED),
);

/** Fresh each time: no two tokens are the same text. */
function credential(google: GoogleDouble, person: string): { readonly id_token: string } {
  const parts: TokenParts = { payload: { sub: `uid-of-${person}`, jti: randomUUID() } };
  return { id_token: google.signIdToken(parts) };
}

function payloadOf(token: string): object {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object;
}
