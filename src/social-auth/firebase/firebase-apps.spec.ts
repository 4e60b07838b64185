import { getApps } from 'firebase-admin/app';
import { describe, expect, it } from '@jest/globals';
import { FirebaseApps } from './firebase-apps.js';
import { NO_CREDENTIAL } from './google-judge.js';

const OPTIONS = { projectId: 'demo-ostiary', credential: NO_CREDENTIAL };
const ref = (id: number, version: number) => ({
  id,
  applicationId: 1,
  kind: 'firebase',
  slug: 'firebase',
  version,
});
const nothing = () => Promise.resolve();

describe(FirebaseApps.name, () => {
  it('lets those who wait for a replaced version have their answer, then forgets it', async () => {
    const apps = new FirebaseApps();
    let answer = () => {};
    let begun = () => {};
    const asked = new Promise<void>((resolve) => (begun = resolve));
    const waiting = apps.use(ref(1, 1), OPTIONS, () => {
      begun();
      return new Promise<void>((resolve) => (answer = resolve));
    });
    await asked;
    await apps.use(ref(1, 2), OPTIONS, nothing);
    expect(getApps()).toHaveLength(2);
    answer();
    await waiting;
    expect(getApps()).toHaveLength(1);
    await apps.close();
    expect(getApps()).toHaveLength(0);
  });

  it('shares nothing between two that know an instance by the same number', async () => {
    const [one, other] = [new FirebaseApps(), new FirebaseApps()];
    await one.use(ref(1, 1), OPTIONS, nothing);
    await other.use(ref(1, 1), { ...OPTIONS, projectId: 'other-project' }, nothing);
    expect(getApps().map(({ options }) => options.projectId)).toEqual(['demo-ostiary', 'other-project']);
    await one.close();
    await other.close();
  });

  it('keeps no more than five hundred', async () => {
    const apps = new FirebaseApps();
    for (let id = 1; id <= 510; id++) await apps.use(ref(id, 1), OPTIONS, nothing);
    expect(getApps()).toHaveLength(500);
    await apps.close();
  });
});
