import { Foundation1763683200000 } from './1763683200000-foundation.js';
import { AuditAndAdminKeys1763700100000 } from './1763700100000-audit-and-admin-keys.js';

/** All migrations, oldest first. Each runs on SQLite and on PostgreSQL. */
export const migrations = [Foundation1763683200000, AuditAndAdminKeys1763700100000];
