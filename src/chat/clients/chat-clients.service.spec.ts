import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Rows } from '../../../test/support/builders.js';
import { describeOnEachDatabase } from '../../../test/support/databases.js';
import { TestStores } from '../../../test/support/test-stores.js';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import { ApplicationsService } from '../../applications/applications.service.js';
import { AuditEntryRepository } from '../../audit/audit-entry.repository.js';
import { AuditLog } from '../../audit/audit-log.js';
import { createLogger } from '../../observability/logger.js';
import type { Secrets } from '../../secrets/secrets.js';
import { ChatClientDirectory } from './chat-client-directory.js';
import { ChatClientRepository } from './chat-client.repository.js';
import { ChatClientsService } from './chat-clients.service.js';

const ADMINISTRATION = { kind: 'ejabberd', url: 'https://chat.example.com:5281', bearer: 'hunter2hunter2' };

describeOnEachDatabase('ChatClientsService', (kind) => {
  let open: TestStores;
  let rows: Rows;
  let audit: AuditLog;
  let directory: ChatClientDirectory;
  let clients: ChatClientsService;

  /** A service as another process has it: what it keeps in memory is its own. */
  const another = () => {
    const { transactions } = open;
    const secrets = rows.ring as unknown as Secrets;
    const repository = new ChatClientRepository(transactions, secrets);
    const logger = createLogger({ level: 'silent' });
    directory = new ChatClientDirectory(repository, transactions, rows.clock, logger);
    const applications = new ApplicationsService(
      rows.applications,
      new ApplicationDirectory(rows.applications, rows.clock),
      transactions,
      audit,
    );
    return new ChatClientsService(
      repository,
      directory,
      applications,
      secrets,
      transactions,
      audit,
      rows.clock,
    );
  };
  const create = (administration: unknown = null) =>
    clients.create({ name: 'prosody', applicationId: null, administration });
  const acts = async () => (await audit.read({ limit: 100 })).map(({ act, details }) => ({ act, details }));

  beforeEach(async () => {
    open = await TestStores.open(kind);
    rows = new Rows(open);
    const { transactions } = open;
    audit = new AuditLog(new AuditEntryRepository(transactions), transactions, rows.clock);
    clients = another();
  });
  afterEach(() => open.close());

  it('makes a secret of 256 random bits and recognises it', async () => {
    const { client, secret } = await create();
    expect(secret).toMatch(/^oscc_[A-Za-z0-9_-]{43}$/);
    expect(await clients.recognise(secret)).toMatchObject({ id: client.id, name: 'prosody' });
    expect((await create()).secret).not.toBe(secret);
  });

  it('recognises without a promise what it has recognised before', async () => {
    const { client, secret } = await create();
    await clients.recognise(secret);
    expect(clients.recognise(secret)).toMatchObject({ id: client.id });
  });

  it('stores the hash and not the secret, and of its administration the ciphertext', async () => {
    const { secret } = await create(ADMINISTRATION);
    const stored = JSON.stringify(await open.transactions.query('SELECT * FROM chat_clients'));
    expect(stored).toContain(createHash('sha256').update(secret).digest('base64url'));
    expect(stored).not.toContain(secret.slice('oscc_'.length));
    expect(stored).not.toContain('hunter2hunter2');
    expect(stored).not.toContain('chat.example.com');
  });

  it.each([
    ['', 'nothing'],
    ['oscc_', 'a prefix alone'],
    [`oscc_${'A'.repeat(43)}`, 'a secret that nobody made'],
    [`oscc_${'A'.repeat(5000)}`, 'a text of 5000 characters'],
    [`oscc_${'A'.repeat(42)}\0`, 'a text with NUL'],
    [`osad_${'A'.repeat(43)}`, 'a key of another kind'],
  ])('does not know %j (%s)', async (presented) => {
    await create();
    expect(await clients.recognise(presented)).toBeNull();
  });

  it.each(['revoked', 'given another secret'])(
    'is not known to another process when it was %s',
    async (how) => {
      const { client, secret } = await create();
      const other = another();
      expect(await other.recognise(secret)).toMatchObject({ id: client.id });
      await (how === 'revoked' ? clients.revoke(client.id) : clients.rotateSecret(client.id));
      expect(await clients.recognise(secret)).toBeNull();
      rows.clock.advance({ milliseconds: 1600 });
      expect(await other.recognise(secret)).toBeNull();
    },
  );

  it('looks up few secrets at once that nobody has', async () => {
    const { secret } = await create();
    await clients.recognise(secret);
    const strangers = Array.from({ length: 100 }, async (_, i) =>
      clients.recognise(`oscc_${String(i).padStart(43, '0')}`),
    );
    // Refused without a promise, or with one: nobody of them is known.
    expect(new Set(await Promise.all(strangers))).toEqual(new Set([null]));
    expect(await clients.recognise(secret)).not.toBeNull();
  });

  it('is of an application that there is', async () => {
    await expect(
      clients.create({ name: 'x', applicationId: 99, administration: null }),
    ).rejects.toMatchObject({
      code: 'application_not_found',
    });
    const { id } = await rows.anApplication();
    const { client } = await clients.create({ name: 'x', applicationId: id, administration: null });
    await create();
    expect(await clients.list(id)).toEqual([client]);
    expect(await clients.list()).toHaveLength(2);
  });

  it('refuses an administration at fault, and shows one without its secrets', async () => {
    await expect(create({ kind: 'telnet' })).rejects.toMatchObject({ code: 'validation_failed' });
    const { client } = await create(ADMINISTRATION);
    const shown = JSON.stringify(await clients.findShownAdministration(client.id));
    expect(shown).toContain('ejabberd');
    expect(shown).not.toContain('hunter2');
    expect(await clients.setAdministration(client.id, null)).toMatchObject({ hasAdministration: false });
  });

  it('records who may ask from when to when, and no values', async () => {
    const { client } = await create();
    await clients.change(client.id, { name: 'other', administration: ADMINISTRATION });
    await clients.rotateSecret(client.id);
    await clients.revoke(client.id);
    await clients.revoke(client.id);
    expect(await clients.revoke(99)).toBeNull();
    const chat_client_id = client.id;
    expect(await acts()).toEqual([
      { act: 'chat_client.created', details: { chat_client_id } },
      { act: 'chat_client.changed', details: { chat_client_id, fields: ['name', 'administration'] } },
      { act: 'chat_client.secret_rotated', details: { chat_client_id } },
      { act: 'chat_client.revoked', details: { chat_client_id } },
    ]);
  });

  it('records uses, those within a minute once', async () => {
    const { client, secret } = await create();
    const lastUse = async () => (await clients.find(client.id))!.lastUsedAt;
    const first = rows.clock.now();
    await clients.recognise(secret);
    rows.clock.advance({ seconds: 59 });
    await clients.recognise(secret);
    // Written behind the answer.
    await directory.onApplicationShutdown();
    expect(await lastUse()).toBe(first);
    rows.clock.advance({ seconds: 1 });
    await clients.recognise(secret);
    await directory.onApplicationShutdown();
    expect(await lastUse()).toBe(first + 60_000);
  });
});
