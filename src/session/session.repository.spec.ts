import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Rows } from '../../test/support/builders.js';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { TestStores } from '../../test/support/test-stores.js';

describeOnEachDatabase('SessionRepository', (kind) => {
  let open: TestStores;
  let rows: Rows;
  let applicationId: number;
  let userId: number;

  beforeAll(async () => {
    open = await TestStores.open(kind);
    rows = new Rows(open);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    applicationId = (await rows.anApplication()).id;
    userId = (await rows.aUser(applicationId)).id;
  });

  it('finds a session by the hash of its token, with every fact as it was stored', async () => {
    const session = await rows.aSession(applicationId, userId);
    expect(await rows.sessions.findByTokenHash(session.tokenHash)).toEqual({ session, endReason: null });
    expect(await rows.sessions.findByTokenHash('nobody')).toBeNull();
  });

  it('keeps ids and instants as numbers, whatever the driver hands over', async () => {
    const { session } = (await rows.sessions.findByTokenHash(
      (await rows.aSession(applicationId, null)).tokenHash,
    ))!;
    expect([typeof session.id, typeof session.lastUsedAt, session.userId]).toEqual([
      'number',
      'number',
      null,
    ]);
  });

  it('ends a session once and says which token that was', async () => {
    const { id, tokenHash } = await rows.aSession(applicationId, userId);
    expect(await rows.run(() => rows.sessions.end(id, 'ended', 1))).toBe(tokenHash);
    expect(await rows.run(() => rows.sessions.end(id, 'ended', 2))).toBeNull();
    expect((await rows.sessions.findByTokenHash(tokenHash))!.endReason).toBe('ended');
  });

  it('ends a session for its own user alone', async () => {
    const stranger = await rows.aUser(applicationId);
    const { id, tokenHash } = await rows.aSession(applicationId, userId);
    expect(await rows.run(() => rows.sessions.endOfUser(stranger.id, id, 'ended_by_user', 1))).toBeNull();
    expect(await rows.run(() => rows.sessions.endOfUser(userId, id, 'ended_by_user', 1))).toBe(tokenHash);
  });

  it('ends all sessions of a user but the one named', async () => {
    const [kept, first, second] = [
      await rows.aSession(applicationId, userId),
      await rows.aSession(applicationId, userId),
      await rows.aSession(applicationId, userId),
    ];
    const others = await rows.aSession(applicationId, (await rows.aUser(applicationId)).id);
    const ended = await rows.run(() => rows.sessions.endAllOfUser(userId, 'password_changed', 1, kept.id));
    expect(ended.sort()).toEqual([first.tokenHash, second.tokenHash].sort());
    for (const { tokenHash } of [kept, others]) {
      expect((await rows.sessions.findByTokenHash(tokenHash))!.endReason).toBeNull();
    }
  });

  it('replaces the facts of a living session whose token is the one expected, and of no other', async () => {
    const session = await rows.aSession(applicationId, null);
    const upgraded = { ...session, kind: 'user' as const, userId, tokenHash: `${session.tokenHash}-next` };
    expect(await rows.run(() => rows.sessions.replace(session.id, session.tokenHash, upgraded))).toBe(true);
    expect(await rows.run(() => rows.sessions.replace(session.id, session.tokenHash, upgraded))).toBe(false);
    expect(await rows.sessions.findByTokenHash(session.tokenHash)).toBeNull();
    expect((await rows.sessions.findByTokenHash(upgraded.tokenHash))!.session).toEqual(upgraded);

    await rows.run(() => rows.sessions.end(session.id, 'ended', 1));
    expect(await rows.run(() => rows.sessions.replace(session.id, upgraded.tokenHash, upgraded))).toBe(false);
  });

  it('records uses, never back in time and never of a session that is over', async () => {
    const used = await rows.aSession(applicationId, userId, { lastUsedAt: 1000 });
    const ahead = await rows.aSession(applicationId, userId, { lastUsedAt: 9000 });
    const over = await rows.aSession(applicationId, userId, { lastUsedAt: 1000 });
    await rows.run(() => rows.sessions.end(over.id, 'ended', 1));
    await rows.sessions.touch([over, used, ahead].map(({ id }) => ({ sessionId: id, at: 5000 })));
    const lastUse = async (hash: string) => (await rows.sessions.findByTokenHash(hash))!.session.lastUsedAt;
    expect(await lastUse(used.tokenHash)).toBe(5000);
    expect(await lastUse(ahead.tokenHash)).toBe(9000);
    expect(await lastUse(over.tokenHash)).toBe(1000);
  });

  it('lists a page of sessions that nobody ended, newest first', async () => {
    const ids: number[] = [];
    for (let i = 0; i < 4; i += 1) ids.unshift((await rows.aSession(applicationId, userId)).id);
    await rows.run(() => rows.sessions.end(ids[1]!, 'ended', 1));
    const page = async (before: number, limit: number) =>
      (await rows.sessions.listOfUser(userId, before, limit)).map(({ id }) => id);
    expect(await page(Number.MAX_SAFE_INTEGER, 2)).toEqual([ids[0], ids[2]]);
    expect(await page(ids[2]!, 2)).toEqual([ids[3]]);
  });

  it('refuses two sessions with one token', async () => {
    const { tokenHash } = await rows.aSession(applicationId, userId);
    await expect(rows.aSession(applicationId, userId, { tokenHash })).rejects.toThrow();
  });

  it('lets sessions go with their user', async () => {
    const { tokenHash } = await rows.aSession(applicationId, userId);
    await rows.run(() => open.transactions.query('DELETE FROM users WHERE id = :userId', { userId }));
    expect(await rows.sessions.findByTokenHash(tokenHash)).toBeNull();
  });
});
