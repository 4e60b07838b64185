import type { GlobalConfig } from 'jest';
import { buildWhereStale } from './build-where-stale.ts';
import { installChatServersWhereMissing } from './chat/install-where-missing.ts';
import { installPeersWhereStale } from './install-peers-where-stale.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

declare global {
  var ostiaryPostgres: PostgresServer | undefined;
}

/** A fresh build, the programs beside it, and one PostgreSQL for the whole run; workers learn its address from the environment. */
export default async function setUp(run: GlobalConfig): Promise<void> {
  buildWhereStale();
  installPeersWhereStale();
  installChatServersWhereMissing(run);
  globalThis.ostiaryPostgres = await startPostgres();
  process.env['TEST_POSTGRES_URL'] = globalThis.ostiaryPostgres.url('postgres');
}
