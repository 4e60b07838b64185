import { describe, expect, it } from '@jest/globals';
import { failureError, firebaseFailure } from './firebase-failure.js';

const invalidSignature = 'Firebase ID token has invalid signature. See https://…';
const fetchFailed = 'Error fetching public keys for Google certs: (<html>not json</html>)';

describe(firebaseFailure.name, () => {
  it.each([
    ['auth/id-token-expired', '', 'invalid_credentials'],
    ['auth/id-token-revoked', '', 'invalid_credentials'],
    ['auth/user-disabled', '', 'invalid_credentials'],
    ['auth/user-not-found', '', 'invalid_credentials'],
    ['auth/mismatching-tenant-id', '', 'invalid_credentials'],
    ['auth/argument-error', invalidSignature, 'invalid_credentials'],
    ['auth/argument-error', fetchFailed, 'identity_provider_unavailable'],
    [
      'auth/argument-error',
      'Error while making request: connect ECONNREFUSED',
      'identity_provider_unavailable',
    ],
    ['auth/internal-error', invalidSignature, 'identity_provider_unavailable'],
    ['app/network-error', '', 'identity_provider_unavailable'],
    ['app/app-deleted', '', 'identity_provider_unavailable'],
    ['auth/insufficient-permission', '', 'identity_provider_misconfigured'],
    ['app/invalid-credential', '', 'identity_provider_misconfigured'],
    ['ECONNRESET', '', 'identity_provider_unavailable'],
  ])('takes %s "%s" for %s', (code, message, blamed) => {
    expect(firebaseFailure(Object.assign(new Error(message), { code })).code).toBe(blamed);
  });

  it.each([undefined, null, 'text', new TypeError('x'), { code: 7 }])(
    'takes %p for trouble there',
    (thrown) => {
      expect(firebaseFailure(thrown).code).toBe('identity_provider_unavailable');
    },
  );

  it('keeps nothing of what the library said', () => {
    const error = Object.assign(new Error('said: SECRET'), {
      code: 'auth/internal-error',
      request: 'SECRET',
    });
    const { cause } = failureError(firebaseFailure(error));
    expect((cause as Error).message).toBe('firebase-admin: auth/internal-error');
    expect(JSON.stringify(firebaseFailure(error))).not.toContain('SECRET');
  });
});
