import { z } from 'zod';
import { claimOptions, exactText, exactTexts } from '../claims/claim-options.js';
import { isLoopbackHttp, providerUrl } from '../claims/provider-url.js';
import { tlsOptionsSchema, toOutboundTls } from '../tls.options.js';
import type { IntrospectionAuth, IntrospectionSettings } from './introspection.js';

const secret = z.string().regex(/^[\x21-\x7e]{8,1024}$/, 'must be 8 to 1024 printable characters');

/**
 * The options of an `introspection` provider. An authorization server says of every token it issued that it is active:
 * whoever does not say whose tokens count would accept those that people gave to others.
 */
export const introspectionOptionsSchema = z
  .strictObject({
    url: providerUrl,
    client_id: exactText.optional(),
    client_secret: secret.optional(),
    client_auth: z.enum(['basic', 'post']).default('basic'),
    bearer: secret.optional(),
    audiences: exactTexts.optional(),
    client_ids: exactTexts.optional(),
    issuer: exactText.optional(),
    token_type_hint: z
      .string()
      .regex(/^[a-z_]{1,64}$/)
      .optional(),
    ...claimOptions,
    tls: tlsOptionsSchema.optional(),
  })
  .superRefine(({ client_id, client_secret, bearer, audiences, client_ids }, context) => {
    const fault = (name: string, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (audiences === undefined && client_ids === undefined) {
      fault('audiences', 'is needed, or client_ids, or both: whose tokens count');
    }
    if (bearer !== undefined) {
      if (client_id !== undefined) fault('client_id', 'has no place beside bearer');
      if (client_secret !== undefined) fault('client_secret', 'has no place beside bearer');
      return;
    }
    if (client_id === undefined) fault('client_id', 'is needed, or bearer');
    if (client_secret === undefined) fault('client_secret', 'is needed, or bearer');
  });

export type IntrospectionOptions = z.output<typeof introspectionOptionsSchema>;

export function settingsOf(options: IntrospectionOptions): IntrospectionSettings {
  return {
    url: new URL(options.url),
    auth: authOf(options),
    audiences: options.audiences,
    clientIds: options.client_ids,
    issuer: options.issuer,
    tokenTypeHint: options.token_type_hint,
    tls: toOutboundTls(options.tls),
  };
}

/** What an operator should know of these options. */
export function introspectionWarnings({ url }: IntrospectionOptions): string[] {
  return isLoopbackHttp(url) ? ['url: plain HTTP, for stand-ins on this machine'] : [];
}

function authOf({ bearer, client_id, client_secret, client_auth }: IntrospectionOptions): IntrospectionAuth {
  return bearer === undefined
    ? { kind: client_auth, clientId: client_id!, clientSecret: client_secret! }
    : { kind: 'bearer', token: bearer };
}
