import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { TestStores } from '../../test/support/test-stores.js';
import { AuditEntryRepository } from '../audit/audit-entry.repository.js';
import { AuditLog } from '../audit/audit-log.js';
import { AdminKeyRepository } from './admin-key.repository.js';
import { AdminKeysService } from './admin-keys.service.js';

describeOnEachDatabase('AdminKeysService', (kind) => {
  let open: TestStores;
  let clock: ManualClock;
  let audit: AuditLog;
  let keys: AdminKeysService;

  beforeEach(async () => {
    open = await TestStores.open(kind);
    clock = new ManualClock();
    const { transactions } = open;
    audit = new AuditLog(new AuditEntryRepository(transactions), transactions, clock);
    keys = new AdminKeysService(new AdminKeyRepository(transactions), transactions, audit, clock);
  });
  afterEach(() => open.close());

  const lastUse = async () => (await keys.list())[0]!.lastUsedAt;
  const acts = async () => (await audit.read({ limit: 100 })).map(({ act, details }) => ({ act, details }));

  it('makes a key of 256 random bits and recognises it', async () => {
    const { adminKey, key } = await keys.create('operator', 'deploy');
    expect(key).toMatch(/^osad_[A-Za-z0-9_-]{43}$/);
    expect(await keys.recognise(key)).toMatchObject({ id: adminKey.id, name: 'deploy', role: 'operator' });
    expect((await keys.create('operator', null)).key).not.toBe(key);
  });

  it('stores the hash and not the key', async () => {
    const { key } = await keys.create('owner', null);
    const stored = JSON.stringify(await open.transactions.query('SELECT * FROM admin_keys'));
    expect(stored).toContain(createHash('sha256').update(key).digest('base64url'));
    expect(stored).not.toContain(key.slice('osad_'.length));
  });

  it.each([
    ['', 'nothing'],
    ['osad_', 'a prefix alone'],
    [`osad_${'A'.repeat(43)}`, 'a key that nobody made'],
    [`osad_${'A'.repeat(5000)}`, 'a text of 5000 characters'],
    [`osad_${'A'.repeat(42)}\0`, 'a text with NUL'],
  ])('refuses %j (%s)', async (presented) => {
    await keys.create('owner', null);
    await expect(keys.recognise(presented)).rejects.toMatchObject({ code: 'invalid_admin_key' });
  });

  it('refuses a hash for a key', async () => {
    const { key } = await keys.create('owner', null);
    const hash = createHash('sha256').update(key).digest('base64url');
    await expect(keys.recognise(`osad_${hash}`)).rejects.toMatchObject({ code: 'invalid_admin_key' });
  });

  it('refuses a revoked key at once, and lists it still', async () => {
    const { adminKey, key } = await keys.create('owner', null);
    await keys.recognise(key);
    expect(await keys.revoke(adminKey.id)).toMatchObject({ id: adminKey.id, revokedAt: clock.now() });
    await expect(keys.recognise(key)).rejects.toMatchObject({ code: 'invalid_admin_key' });
    expect(await keys.list()).toMatchObject([{ id: adminKey.id, revokedAt: clock.now() }]);
  });

  it('lets a key be revoked once, and knows none that is not there', async () => {
    const { adminKey } = await keys.create('owner', null);
    const first = await keys.revoke(adminKey.id);
    clock.advance({ hours: 1 });
    expect(await keys.revoke(adminKey.id)).toEqual(first);
    expect(await keys.revoke(99)).toBeNull();
    expect(await acts()).toEqual([
      { act: 'admin_key.created', details: { admin_key_id: 1, role: 'owner' } },
      { act: 'admin_key.revoked', details: { admin_key_id: 1 } },
    ]);
  });

  it('records uses, those within a minute once', async () => {
    const { key } = await keys.create('viewer', null);
    expect(await lastUse()).toBeNull();
    await keys.recognise(key);
    const first = clock.now();
    clock.advance({ seconds: 59 });
    await keys.recognise(key);
    expect(await lastUse()).toBe(first);
    clock.advance({ seconds: 1 });
    await keys.recognise(key);
    expect(await lastUse()).toBe(first + 60_000);
  });
});
