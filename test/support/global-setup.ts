import { startPostgres, type PostgresServer } from './postgres-server.ts';

declare global {
  var ostiaryPostgres: PostgresServer | undefined;
}

/** One PostgreSQL for the whole run; workers learn its address from the environment. */
export default async function setUp(): Promise<void> {
  globalThis.ostiaryPostgres = await startPostgres();
  process.env['TEST_POSTGRES_URL'] = globalThis.ostiaryPostgres.url('postgres');
}
