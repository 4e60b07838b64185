import { z } from 'zod';
import { inputError } from '../../http/input.js';
import { signingKey } from '../../outbound/webhook-signature.js';

const MAX_URL = 2048;
const MAX_SECRET = 512;

/** Host names, and names as people give them to virtual hosts of an inner network. */
const HOST = /^[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?$/i;

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/** Where the server's administration answers; what is called lies below its path. */
const url = z
  .string()
  .max(MAX_URL)
  .refine(isPlainUrl, { error: 'must be an http or https URL without user, query and fragment' });

/** Goes into a header, where a line break would begin another one. */
const secret = z
  .string()
  .max(MAX_SECRET)
  .regex(/^[\x20-\x7e]+$/, { error: 'must consist of printable ASCII characters' });

/** Of HTTP Basic: RFC 7617 has no colon in it. */
const user = z
  .string()
  .max(255)
  .regex(/^[\x20-\x39\x3b-\x7e]+$/, {
    error: 'must consist of printable ASCII characters other than a colon',
  });

/** The virtual host of users of whom the chat server named none. */
const host = z
  .string()
  .max(255)
  .regex(HOST, { error: 'must be a host name' })
  .transform((text) => text.toLowerCase())
  .optional();

const ejabberd = z
  .strictObject({
    kind: z.literal('ejabberd'),
    url,
    bearer: secret.optional(),
    basic: z.strictObject({ user, password: secret }).optional(),
    host,
  })
  .refine((given) => given.bearer === undefined || given.basic === undefined, {
    path: ['basic'],
    error: 'cannot be given together with bearer',
  });

const prosody = z.strictObject({ kind: z.literal('prosody'), url, secret, host });

const rabbitmq = z.strictObject({
  kind: z.literal('rabbitmq'),
  url,
  user,
  password: secret,
  vhosts: z.array(z.string().min(1).max(255)).min(1).max(100).optional(),
});

const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url,
  secret: secret.refine((text) => signingKey(text) !== null, {
    error: 'must be whsec_ and 24 to 64 bytes in base64',
  }),
});

/** How the live connections of a chat server are ended: which kind of server it is, and where and how it is told. */
export const administrationSchema = z.discriminatedUnion('kind', [ejabberd, prosody, rabbitmq, webhook]);

export type Administration = z.infer<typeof administrationSchema>;
export type AdministrationKind = Administration['kind'];
export type EjabberdAdministration = z.infer<typeof ejabberd>;
export type ProsodyAdministration = z.infer<typeof prosody>;
export type RabbitmqAdministration = z.infer<typeof rabbitmq>;
export type WebhookAdministration = z.infer<typeof webhook>;

/** With a fingerprint in the place of each secret. */
export type ShownAdministration = Readonly<Record<string, unknown>>;

/** @throws BrokerError `validation_failed`, with places below `/administration`. */
export function parseAdministration(value: unknown): Administration {
  const parsed = administrationSchema.safeParse(value);
  if (!parsed.success) throw inputError(parsed.error.issues, ['administration']);
  return parsed.data;
}

/** Fields whose values nobody is shown again, at whatever depth. */
const SECRETS = new Set(['bearer', 'password', 'secret']);

/**
 * What people may see of it: everything but the secrets, of which they see a fingerprint.
 *
 * @param fingerprint the same text for the same secret, and nothing that leads back to it.
 */
export function shownAdministration(
  administration: Administration,
  fingerprint: (secret: string) => string,
): ShownAdministration {
  const shown = (value: unknown, name: string): unknown => {
    if (SECRETS.has(name)) return { fingerprint: fingerprint(String(value)) };
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([inner, of]) => [inner, shown(of, inner)]));
  };
  return shown(administration, '') as ShownAdministration;
}
