import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Rows } from '../../test/support/builders.js';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { TestStores } from '../../test/support/test-stores.js';
import type { Application } from './application.js';
import { ApplicationDirectory } from './application-directory.js';

describeOnEachDatabase('ApplicationDirectory', (kind) => {
  let open: TestStores;
  let rows: Rows;
  let directory: ApplicationDirectory;
  let application: Application;

  beforeAll(async () => {
    open = await TestStores.open(kind);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    rows = new Rows(open);
    await rows.run(() => open.transactions.query('DELETE FROM applications'));
    directory = new ApplicationDirectory(rows.applications, rows.clock);
    application = await rows.anApplication();
  });
  const setGuests = (guests: boolean) =>
    rows.run(() => rows.applications.saveSettings(application.id, { guests }));

  it('has an application at once after the first look', async () => {
    expect(directory.peek(application.id)).toBeUndefined();
    expect(await directory.find(application.id)).toMatchObject({
      id: application.id,
      authSecret: application.authSecret,
    });
    expect(directory.peek(application.id)).toMatchObject({ id: application.id });
    expect(await directory.findByAuthKey(application.authKey)).toMatchObject({ id: application.id });
  });

  it('says null for an application that is not there', async () => {
    expect(await directory.find(99_999)).toBeNull();
    expect(await directory.findByAuthKey('nobody')).toBeNull();
  });

  it('sees a change that another process made within two seconds', async () => {
    await directory.find(application.id);
    await setGuests(false);
    rows.clock.advance({ milliseconds: 1600 });
    expect(directory.peek(application.id)).toBeUndefined();
    expect((await directory.find(application.id))!.settings.guests).toBe(false);
  });

  it('confirms what is in use in the background, so that nobody waits', async () => {
    await directory.find(application.id);
    await setGuests(false);
    rows.clock.advance({ milliseconds: 600 });
    expect(directory.peek(application.id)!.settings.guests).toBe(true);
    // The read that the look above has started is the one that this waits for.
    await directory['reading'].get(application.id);
    expect(directory.peek(application.id)!.settings.guests).toBe(false);
  });

  it('does not keep a read that began before a change of its own process', async () => {
    const reading = directory.find(application.id);
    directory.drop(application.id);
    await reading;
    expect(directory.peek(application.id)).toBeUndefined();
  });

  it('goes by time that has passed, whatever the clock is set to', async () => {
    await directory.find(application.id);
    rows.clock.advance({ milliseconds: 1600 });
    rows.clock.advance({ minutes: -10 });
    expect(directory.peek(application.id)).toBeUndefined();
  });

  it('knows the origins of all applications', async () => {
    await rows.run(() =>
      rows.applications.saveSettings(application.id, { allowed_origins: ['https://a.example'] }),
    );
    expect(await directory.includes('https://a.example')).toBe(true);
    expect(await directory.includes('https://b.example')).toBe(false);
  });
});
