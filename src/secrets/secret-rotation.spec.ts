import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { TestStores } from '../../test/support/test-stores.js';
import { ApplicationRepository } from '../applications/application.repository.js';
import { AuditEntryRepository } from '../audit/audit-entry.repository.js';
import { AuditLog } from '../audit/audit-log.js';
import { encryptedColumns } from '../rows.js';
import { EncryptedColumnsRepository } from './encrypted-columns.repository.js';
import { InstallationRepository } from './installation.repository.js';
import { MissingMasterKeyError, openSecrets, WrongMasterKeyError } from './open-secrets.js';
import { newMasterKey } from './key-ring.js';
import { NoNewKeyError, SecretRotation } from './secret-rotation.js';
import { Secrets } from './secrets.js';

describeOnEachDatabase('SecretRotation', (kind) => {
  let open: TestStores;
  const clock = new ManualClock();

  beforeEach(async () => {
    open = await TestStores.open(kind);
  });
  afterEach(() => open.close());

  const keyFile = () => join(open.database.dataDir, 'master.key');
  const configOf = (masterKeys: string[]) => ({
    masterKeys: masterKeys.length > 0 ? masterKeys : null,
    keyFile: keyFile(),
  });
  const secretsUnder = (...masterKeys: string[]) => new Secrets(configOf(masterKeys));
  const applicationsUnder = (secrets: Secrets) =>
    new ApplicationRepository(open.transactions, secrets, clock);
  const rotationUnder = (secrets: Secrets) =>
    new SecretRotation(
      secrets,
      new EncryptedColumnsRepository(open.transactions),
      open.transactions,
      new AuditLog(new AuditEntryRepository(open.transactions), open.transactions, clock),
      encryptedColumns,
    );
  /** Starts as the server does. */
  const start = (...masterKeys: string[]) =>
    openSecrets(
      configOf(masterKeys),
      new InstallationRepository(open.transactions, clock),
      open.transactions,
    );
  const create = (secrets: Secrets, count: number) =>
    open.transactions.run(async () => {
      for (let i = 0; i < count; i += 1) {
        await applicationsUnder(secrets).insert({ name: 'x', authKey: `ak_${i}`, authSecret: `as_${i}` });
      }
    });
  const readAll = async (secrets: Secrets) =>
    (await applicationsUnder(secrets).list()).map(({ authSecret }) => authSecret);

  it('moves every secret to the first of the given keys, so that the old one can go', async () => {
    const [oldKey, newKey] = [newMasterKey(), newMasterKey()];
    await start(oldKey);
    await create(secretsUnder(oldKey), 250);
    const report = await rotationUnder(secretsUnder(newKey, oldKey)).rotate();
    expect(report).toMatchObject({ rewritten: 251, already_current: 0 });
    await start(newKey);
    expect(await readAll(secretsUnder(newKey))).toHaveLength(250);
    await expect(start(oldKey)).rejects.toThrow(WrongMasterKeyError);
  });

  it('has nothing to rewrite the second time', async () => {
    const [oldKey, newKey] = [newMasterKey(), newMasterKey()];
    await create(secretsUnder(oldKey), 2);
    await rotationUnder(secretsUnder(newKey, oldKey)).rotate();
    expect(await rotationUnder(secretsUnder(newKey, oldKey)).rotate()).toMatchObject({
      rewritten: 0,
      already_current: 2,
    });
  });

  it('makes a key of its own where the key is a file, while a running process reads on', async () => {
    const running = await start();
    await create(running, 2);
    await rotationUnder(secretsUnder()).rotate();
    expect(await readAll(running)).toEqual(['as_0', 'as_1']);
    expect(await readAll(secretsUnder())).toEqual(['as_0', 'as_1']);
  });

  it('loses nothing that a running process writes that has not heard of two rotations', async () => {
    const running = secretsUnder();
    await rotationUnder(secretsUnder()).rotate();
    await rotationUnder(secretsUnder()).rotate();
    await create(running, 1);
    await rotationUnder(secretsUnder()).rotate();
    await rotationUnder(secretsUnder()).rotate();
    expect(await readAll(secretsUnder())).toEqual(['as_0']);
  });

  it('asks for a new key where MASTER_KEY holds one', async () => {
    await expect(rotationUnder(secretsUnder(newMasterKey())).rotate()).rejects.toThrow(NoNewKeyError);
  });

  it('refuses to make a key where a database has secrets, and leaves the place of the lost one empty', async () => {
    await start();
    rmSync(keyFile());
    await expect(start()).rejects.toThrow(MissingMasterKeyError);
    expect(existsSync(keyFile())).toBe(false);
  });

  it('refuses another master key than the one of the database', async () => {
    await start(newMasterKey());
    await expect(start(newMasterKey())).rejects.toThrow(/master key \(MASTER_KEY\) is not the one/);
  });
});
