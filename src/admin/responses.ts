import { z } from 'zod';
import type { ExternalIdentity } from '../accounts/external-identity.js';
import type { Application } from '../applications/application.js';
import { applicationSettingsSchema } from '../applications/application-settings.js';
import { chatClientDocumentSchema } from '../chat/clients/chat-client-document.js';
import { policiesSchema } from '../identity-providers/provider-policies.js';
import { versionActs } from '../identity-providers/provider-version.js';
import { auditEntrySchema } from '../audit/audit-document.js';
import { outboxEntrySchema } from '../outbox/outbox-document.js';

const applicationShape = {
  application_id: z.int(),
  name: z.string(),
  auth_key: z.string(),
  auth_secret: z.string().optional().describe('Shown to owners, where one application is asked for'),
  settings: applicationSettingsSchema.describe('In force, defaults included'),
  created_at: z.iso.datetime(),
};

export const applicationAnswer = z.strictObject(applicationShape);
export const changedApplicationAnswer = z.strictObject({
  ...applicationShape,
  warnings: z.array(z.string()).describe('What whoever sets these should know'),
});
export const applicationsAnswer = z.strictObject({
  items: z.array(applicationAnswer),
  next_cursor: z.string().nullable(),
});
export const outboxMessageAnswer = outboxEntrySchema;
export const outboxAnswer = z.strictObject({
  items: z.array(outboxMessageAnswer),
  next_cursor: z.string().nullable(),
});
export const outboxRetriedAnswer = z.strictObject({ retried: z.int() });
export const userStatusAnswer = z.strictObject({ user_id: z.int(), disabled: z.boolean() });
export const providerAnswer = z.strictObject({
  application_id: z.int(),
  slug: z.string(),
  kind: z.string(),
  enabled: z.boolean(),
  version: z.int(),
  options: z.record(z.string(), z.unknown()).describe('Secrets as fingerprints'),
  policies: policiesSchema.describe('In force, defaults included'),
  warnings: z.array(z.string()).readonly().describe('What an operator should know of it'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
const versionShape = {
  version: z.int(),
  present: z.boolean().describe('Whether it is the one in force'),
  at: z.iso.datetime(),
  actor_kind: auditEntrySchema.shape.actor_kind.nullable().describe('null: from before versions were kept'),
  actor_id: z.string().nullable(),
  act: z.enum(versionActs),
  restored_version: z.int().nullable().describe('After a rollback: whose content this is again'),
  changed: z.array(z.string()).readonly().describe('JSON pointers into the definition'),
};
export const providerVersionsAnswer = z.strictObject({ items: z.array(z.strictObject(versionShape)) });
export const providerVersionAnswer = z.strictObject({
  application_id: z.int(),
  slug: z.string(),
  kind: z.string(),
  ...versionShape,
  enabled: z.boolean(),
  options: z.record(z.string(), z.unknown()).describe('Secrets as fingerprints'),
  policies: z.record(z.string(), z.unknown()).describe('As they were stored'),
});
export const comparisonAnswer = z.strictObject({
  application_id: z.int(),
  slug: z.string(),
  from: z.int(),
  to: z.int(),
  items: z
    .array(
      z.strictObject({
        path: z.string().describe('JSON pointer into the definition'),
        from: z.unknown().optional().describe('Left out where there was nothing'),
        to: z.unknown().optional().describe('Left out where there is nothing'),
      }),
    )
    .describe('Secrets as fingerprints'),
});
const identityBody = z.strictObject({
  id: z.int(),
  provider: z.string(),
  subject: z.string(),
  disabled: z.boolean(),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime(),
});
export const identityAnswer = z.strictObject({ identity: identityBody });
export const identitiesAnswer = z.strictObject({ items: z.array(identityBody) });
export const providersAnswer = z.strictObject({ items: z.array(providerAnswer) });
export const auditAnswer = z.strictObject({
  items: z.array(auditEntrySchema),
  next_cursor: z.string().nullable(),
});

export const chatClientAnswer = chatClientDocumentSchema;
export const chatClientsAnswer = z.strictObject({ items: z.array(chatClientDocumentSchema) });
export const chatClientWithSecretAnswer = chatClientDocumentSchema.extend({
  secret: z.string().describe('Shown here and never again'),
});

type ApplicationBody = z.infer<typeof applicationAnswer>;

/** What every admin key may see of an application. */
export function toApplicationBody(application: Application): ApplicationBody {
  return {
    application_id: application.id,
    name: application.name,
    auth_key: application.authKey,
    settings: application.settings,
    created_at: new Date(application.createdAt).toISOString(),
  };
}

/** What owners may see of it. */
export function toApplicationWithSecretBody(application: Application): ApplicationBody {
  return { ...toApplicationBody(application), auth_secret: application.authSecret };
}

/** What admin keys may see of an identity: how it is used, not who its person says they are. */
export function toIdentityBody(identity: ExternalIdentity): z.infer<typeof identityBody> {
  const { id, provider, subject, disabled } = identity;
  return {
    id,
    provider,
    subject,
    disabled,
    created_at: new Date(identity.createdAt).toISOString(),
    last_used_at: new Date(identity.lastUsedAt).toISOString(),
  };
}

/** Where the next page begins, or null where there is none. */
export function nextCursor(items: readonly { readonly id: number }[], limit: number): string | null {
  return items.length === limit ? String(items.at(-1)!.id) : null;
}
