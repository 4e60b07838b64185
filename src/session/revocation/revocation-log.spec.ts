import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Rows } from '../../../test/support/builders.js';
import { describeOnEachDatabase } from '../../../test/support/databases.js';
import { TestStores } from '../../../test/support/test-stores.js';
import { loadConfig } from '../../config/config.loader.js';
import {
  type OwnConnection,
  PostgresOwnConnection,
  SqliteOwnConnection,
} from '../../persistence/own-connection.js';
import { RevocationLog, type LogPosition } from './revocation-log.js';
import type { Session } from '../session.js';

describeOnEachDatabase('RevocationLog', (kind) => {
  let open: TestStores;
  let rows: Rows;
  let connection: OwnConnection;
  let log: RevocationLog;
  let session: Session;
  let position: LogPosition;

  const newConnection = () =>
    kind === 'postgres'
      ? new PostgresOwnConnection(loadConfig({ ...open.database.env }).database)
      : new SqliteOwnConnection(open.stores);

  beforeAll(async () => {
    open = await TestStores.open(kind);
    rows = new Rows(open);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    connection = newConnection();
    log = new RevocationLog(connection, open.transactions);
    const application = await rows.anApplication();
    session = await rows.aSession(application.id, (await rows.aUser(application.id)).id);
    ({ position } = await log.readSince(null));
  });

  afterEach(() => connection.close());

  /** What is new since the last call. */
  const readOn = async () => {
    const page = await log.readSince(position);
    position = page.position;
    return page.tokenHashes;
  };
  const run = (sql: string, parameters: Record<string, unknown> = {}) =>
    rows.run(() => open.transactions.query(sql, { id: session.id, ...parameters }));

  it('begins anew where nothing was read before, with nothing to go by', async () => {
    await rows.run(() => rows.sessions.end(session.id, 'ended', 1));
    expect(await log.readSince(null)).toMatchObject({ startsAnew: true, tokenHashes: [] });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['ended', () => rows.run(() => rows.sessions.end(session.id, 'ended', 1))],
    [
      'ended with its user’s others',
      () => rows.run(() => rows.sessions.endAllOfUser(session.userId!, 'ended', 1)),
    ],
    [
      'given the next token',
      () => rows.run(() => rows.sessions.rotate(session.id, session.tokenHash, 'next', 1)),
    ],
    [
      'given other facts under the same token',
      () =>
        rows.run(() =>
          rows.sessions.replace(session.id, session.tokenHash, {
            ...session,
            kind: 'application',
            userId: null,
          }),
        ),
    ],
    ['ended by an operator’s own hand', () => run('UPDATE sessions SET ended_at = 1 WHERE id = :id')],
    ['removed', () => run('DELETE FROM sessions WHERE id = :id')],
    ['removed with its user', () => run('DELETE FROM users WHERE id = :user', { user: session.userId })],
  ])('has a session that was %s, once', async (_, revoke) => {
    await revoke();
    expect(await readOn()).toEqual([session.tokenHash]);
    expect(await readOn()).toEqual([]);
  });

  it('has nothing of a session that was used', async () => {
    await rows.sessions.touch([{ sessionId: session.id, at: session.lastUsedAt + 1 }]);
    expect(await readOn()).toEqual([]);
  });

  it('has nothing of a revocation that was rolled back', async () => {
    const failing = rows.run(async () => {
      await rows.sessions.end(session.id, 'ended', 1);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await readOn()).toEqual([]);
  });

  // SQLite lets one write at a time, and has one connection to read over.
  if (kind === 'sqlite') return;

  it('does not miss a row that becomes visible behind others', async () => {
    const second = await rows.aSession(session.applicationId, session.userId);
    const slow = await TestStores.open(kind, { database: open.database });
    const slowRows = new Rows(slow);
    let commit = () => {};
    const held = new Promise<void>((resolve) => (commit = resolve));
    let revoked = () => {};
    const isRevoked = new Promise<void>((resolve) => (revoked = resolve));
    const slowly = slowRows.run(async () => {
      await slowRows.sessions.end(session.id, 'ended', 1);
      revoked();
      await held;
    });
    await isRevoked;
    await rows.run(() => rows.sessions.end(second.id, 'ended', 1));
    expect(await readOn()).toEqual([second.tokenHash]);
    expect(await readOn()).toEqual([]);
    commit();
    await slowly;
    expect(await readOn()).toEqual([session.tokenHash]);
    expect(await readOn()).toEqual([]);
    await slow.close();
  });

  it('begins anew on another connection, behind which there may be another server', async () => {
    await connection.close();
    expect(await log.readSince(position)).toMatchObject({ startsAnew: true });
  });
});
