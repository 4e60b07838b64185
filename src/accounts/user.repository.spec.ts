import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Rows } from '../../test/support/builders.js';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { TestStores } from '../../test/support/test-stores.js';
import { isUniqueViolation } from '../persistence/store-errors.js';
import { toIdentifier } from './identifiers.js';

describeOnEachDatabase('UserRepository', (kind) => {
  let open: TestStores;
  let rows: Rows;
  let applicationId: number;

  beforeAll(async () => {
    open = await TestStores.open(kind);
    rows = new Rows(open);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    applicationId = (await rows.anApplication()).id;
  });

  it('reads a user as it was stored', async () => {
    const user = await rows.aUser(applicationId, {
      login: 'Alice',
      email: 'Alice@Example.com',
      phone: '+1 555 0100',
    });
    expect(user).toMatchObject({
      login: 'Alice',
      email: 'alice@example.com',
      phone: '+15550100',
      emailVerified: false,
    });
    expect(await rows.users.find(applicationId, user.id)).toEqual(user);
  });

  it('does not know the users of another application', async () => {
    const user = await rows.aUser(applicationId, { login: 'alice' });
    const other = await rows.anApplication();
    expect(await rows.users.find(other.id, user.id)).toBeNull();
    expect(await rows.users.findCredential(other.id, user.id)).toBeNull();
    expect(await rows.users.findCredentialBy(other.id, toIdentifier('login', 'alice'))).toBeNull();
  });

  it.each([
    ['login', 'ALICE'],
    ['email', 'ALICE@EXAMPLE.COM'],
    ['phone', '15550100'],
  ] as const)('finds a credential by %s however it is spelled', async (name, spelling) => {
    const user = await rows.aUser(applicationId, {
      login: 'alice',
      email: 'alice@example.com',
      phone: '+1-555-0100',
    });
    expect(await rows.users.findCredentialBy(applicationId, toIdentifier(name, spelling))).toMatchObject({
      userId: user.id,
      passwordHash: 'phc',
    });
  });

  it.each([{ login: 'alice' }, { email: 'a@example.com' }, { phone: '+15550100' }])(
    'lets one user of an application have %j, and one of each other application',
    async (identifiers) => {
      await rows.aUser(applicationId, identifiers);
      const again = await rows.aUser(applicationId, identifiers).catch((error: unknown) => error);
      expect(isUniqueViolation(again)).toBe(true);
      await rows.aUser((await rows.anApplication()).id, identifiers);
    },
  );

  it('lets any number of users have no identifier', async () => {
    await rows.aUser(applicationId);
    await rows.aUser(applicationId);
  });

  it('names what another user has, and not what the user has already', async () => {
    const alice = await rows.aUser(applicationId, { login: 'alice', email: 'a@example.com' });
    const asked = [toIdentifier('login', 'Alice'), toIdentifier('email', 'new@example.com')];
    expect(await rows.users.findTaken(applicationId, asked)).toEqual([asked[0]]);
    expect(await rows.users.findTaken(applicationId, asked, alice.id)).toEqual([]);
  });

  it('sets a password only over the version it was decided on', async () => {
    const { id } = await rows.aUser(applicationId, { login: 'alice' });
    const set = (version: number) => rows.run(() => rows.users.setPassword(id, version, 'new', []));
    expect(await set(1)).toBe(2);
    expect(await set(1)).toBeNull();
    expect(await rows.users.findCredential(applicationId, id)).toMatchObject({
      passwordHash: 'new',
      credentialVersion: 2,
    });
  });

  it('renews a hash without making it another credential, and not over a newer one', async () => {
    const { id } = await rows.aUser(applicationId);
    await rows.run(() => rows.users.rehash(id, 'phc', 'phc-2'));
    await rows.run(() => rows.users.rehash(id, 'phc', 'phc-3'));
    expect(await rows.users.findCredential(applicationId, id)).toMatchObject({
      passwordHash: 'phc-2',
      credentialVersion: 1,
    });
  });

  it('disables and enables, saying whether that is a change', async () => {
    const { id } = await rows.aUser(applicationId);
    const set = (disabled: boolean, of = applicationId) =>
      rows.run(() => rows.users.setDisabled(of, id, disabled));
    expect([await set(false), await set(true), await set(true)]).toEqual([false, true, false]);
    expect(await set(false, (await rows.anApplication()).id)).toBe(false);
    expect(await rows.users.find(applicationId, id)).toMatchObject({ disabled: true });
    expect(await set(false)).toBe(true);
  });

  it('disables only when a sign-in that holds the user is through', async () => {
    const { id } = await rows.aUser(applicationId);
    const order: string[] = [];
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const signIn = rows.run(async () => {
      expect(await rows.users.findLocked(applicationId, id)).toMatchObject({ disabled: false });
      order.push('holds');
      await held;
      order.push('is through');
    });
    while (order.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const disabling = rows
      .run(() => rows.users.setDisabled(applicationId, id, true))
      .then(() => order.push('disabled'));
    // Long enough for an update that does not wait.
    await new Promise((resolve) => setTimeout(resolve, 100));
    goOn();
    await Promise.all([signIn, disabling]);
    expect(order).toEqual(['holds', 'is through', 'disabled']);
  });

  it('notes when users were active, never back in time', async () => {
    const { id } = await rows.aUser(applicationId);
    const note = (at: number) => rows.run(() => rows.users.noteActivity([{ userId: id, at }]));
    await note(5000);
    await note(4000);
    expect((await rows.users.find(applicationId, id))!.lastRequestAt).toBe(5000);
  });
});
