import { Foundation1763683200000 } from './1763683200000-foundation.js';
import { Revocations1763700000000 } from './1763700000000-revocations.js';
import { AuditAndAdminKeys1763700100000 } from './1763700100000-audit-and-admin-keys.js';
import { Jobs1763700200000 } from './1763700200000-jobs.js';
import { FederatedSignIn1763800000000 } from './1763800000000-federated-sign-in.js';
import { MappedFields1763900000000 } from './1763900000000-mapped-fields.js';
import { ProviderVersions1763900300000 } from './1763900300000-provider-versions.js';
import { ChatClients1764000000000 } from './1764000000000-chat-clients.js';
import { ChatLoginsAndOutbox1764000100000 } from './1764000100000-chat-logins-and-outbox.js';

/** All migrations, oldest first. Each runs on SQLite and on PostgreSQL. */
export const migrations = [
  Foundation1763683200000,
  Revocations1763700000000,
  AuditAndAdminKeys1763700100000,
  Jobs1763700200000,
  FederatedSignIn1763800000000,
  MappedFields1763900000000,
  ProviderVersions1763900300000,
  ChatClients1764000000000,
  ChatLoginsAndOutbox1764000100000,
];
