import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

/** Google's least for such keys. */
const MIN_KEY_BITS = 2048;

/** `firebase.sign_in_provider` as it stands in tokens: always a whole name, never a pattern. */
const SIGN_IN_METHOD =
  /^(?:phone|password|anonymous|custom|[a-z0-9]+(?:\.[a-z0-9]+)*\.com|(?:saml|oidc)\.[A-Za-z0-9_.-]{1,64})$/;

const HOST_AND_PORT = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?):[1-9]\d{0,4}$/;

const serviceAccount = z.strictObject({
  client_email: z.email().max(320),
  private_key: z
    .string()
    .max(8 * 1024)
    .refine(isRsaKey, { error: `not an RSA private key (PEM) of at least ${MIN_KEY_BITS} bits` }),
});

/**
 * The definition of a Firebase provider. The project is named here and nowhere else: what a client or a token says
 * about it only has to agree.
 */
export const firebaseOptionsSchema = z
  .strictObject({
    project_id: z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, { error: 'not a Firebase project id' }),
    /** What people may have signed in with there. `anonymous` and `custom` prove nothing about anybody: only by name. */
    sign_in_methods: z
      .array(z.string().regex(SIGN_IN_METHOD, { error: 'not a Firebase sign-in method' }))
      .min(1)
      .max(50)
      .default(['phone', 'password', 'google.com']),
    /** Of Identity Platform's multi-tenancy. Without it, tokens of tenants are refused. */
    tenant_id: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'not a tenant id' })
      .optional(),
    /** Ask Firebase at each sign-in whether the user is disabled and the token revoked. */
    check_revoked: z.boolean().default(false),
    service_account: serviceAccount.optional(),
    emulator: z
      .strictObject({ host: z.string().refine(isHostAndPort, { error: 'not host:port' }) })
      .optional(),
  })
  .refine((options) => !options.check_revoked || options.service_account || options.emulator, {
    path: ['service_account'],
    error: 'required by check_revoked',
  })
  // Whoever runs an emulator sees what it is sent.
  .refine((options) => !options.emulator || !options.service_account, {
    path: ['service_account'],
    error: 'has no place beside an emulator',
  });

export type FirebaseOptions = z.infer<typeof firebaseOptionsSchema>;
export type ServiceAccount = z.infer<typeof serviceAccount>;

function isRsaKey(pem: string): boolean {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_KEY_BITS;
  } catch {
    return false;
  }
}

function isHostAndPort(text: string): boolean {
  return HOST_AND_PORT.test(text) && URL.canParse(`http://${text}`);
}
