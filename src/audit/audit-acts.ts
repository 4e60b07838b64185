/** Everything that leaves an entry. Words are stable: people search by them, and the README lists each one. */
export const auditActs = [
  'application.created',
  'application.settings_changed',
  'application.secret_rotated',
  'application.sessions_ended',
  'identity_provider.created',
  'identity_provider.changed',
  'identity_provider.enabled',
  'identity_provider.disabled',
  'identity_provider.rolled_back',
  'identity_provider.deleted',
  'identity_provider.tested',
  'admin_key.created',
  'admin_key.revoked',
  'chat_client.created',
  'chat_client.changed',
  'chat_client.secret_rotated',
  'chat_client.revoked',
  'master_key.rotated',
  'user.created',
  'user.disabled',
  'user.enabled',
  'identity.linked',
  'identity.unlinked',
  'identity.disabled',
  'identity.enabled',
  'identity.person_changed',
  'identifier.taken_over',
  'password.set',
  'password.changed',
  'sign_in',
  'sign_out',
  'session.ended',
  'sessions.ended',
  'refresh.replayed',
  'outbox.retried',
  'audit.purged',
] as const;

export type AuditAct = (typeof auditActs)[number];

/**
 * What an entry may say beside its columns: words and counts of ours. A name that is not here is not written, so that
 * nobody's password, token, secret or identifier gets in with an object that somebody spread.
 */
export const auditDetails = [
  'admin_key_id',
  'chat_client_id',
  'fields',
  'role',
  'settings',
  'provider',
  'kind',
  'version',
  'restored_version',
  'guest',
  'count',
  'before',
  'key_id',
  'rewritten',
] as const;

type AuditDetail = (typeof auditDetails)[number];

export type AuditDetails = Readonly<
  Partial<Record<AuditDetail, string | number | boolean | readonly string[]>>
>;
