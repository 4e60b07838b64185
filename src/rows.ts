import { adminKeyRow } from './admin-keys/admin-key.entity.js';
import { chatLoginRow } from './chat/endings/chat-login.entity.js';
import { externalIdentityRow } from './accounts/external-identity.entity.js';
import { userRow } from './accounts/user.entity.js';
import { applicationRow } from './applications/application.entity.js';
import { AUTH_SECRET } from './applications/application.repository.js';
import { chatClientRow } from './chat/clients/chat-client.entity.js';
import { CLIENT_ADMINISTRATION } from './chat/clients/chat-client.repository.js';
import { identityProviderRow } from './identity-providers/identity-provider.entity.js';
import { PROVIDER_OPTIONS } from './identity-providers/identity-provider.repository.js';
import { providerVersionRow } from './identity-providers/provider-version.entity.js';
import { VERSION_OPTIONS } from './identity-providers/provider-version.repository.js';
import { jobLeaseRow } from './jobs/job-lease.entity.js';
import { auditEntryRow } from './audit/audit-entry.entity.js';
import { outboxMessageRow } from './outbox/outbox-message.entity.js';
import type { RowDefinition } from './persistence/row-definition.js';
import type { EncryptedColumn } from './secrets/encrypted-columns.repository.js';
import { installationRow } from './secrets/installation.entity.js';
import { redirectSignInRow } from './session/redirect/redirect-sign-in.entity.js';
import { refreshTokenRow } from './session/refresh/refresh-token.entity.js';
import { revocationRow } from './session/revocation/revocation.entity.js';
import { sessionRow } from './session/session.entity.js';
import { spentCredentialRow } from './session/federated/spent-credential.entity.js';
import { throttleCounterRow } from './throttle/throttle-counter.entity.js';

/** Every table. A test compares them with what the migrations make. */
export const rows = [
  installationRow,
  applicationRow,
  userRow,
  sessionRow,
  refreshTokenRow,
  revocationRow,
  throttleCounterRow,
  jobLeaseRow,
  auditEntryRow,
  adminKeyRow,
  identityProviderRow,
  providerVersionRow,
  externalIdentityRow,
  redirectSignInRow,
  spentCredentialRow,
  chatClientRow,
  chatLoginRow,
  outboxMessageRow,
] as unknown as readonly RowDefinition[];

/** Every column that holds encrypted values: what `ostiary secrets rotate` rewrites. */
export const encryptedColumns: readonly EncryptedColumn[] = [
  { table: 'installation', column: 'key_check' },
  AUTH_SECRET,
  PROVIDER_OPTIONS,
  VERSION_OPTIONS,
  CLIENT_ADMINISTRATION,
];
