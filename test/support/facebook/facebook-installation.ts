import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Application } from '../../../src/applications/application.js';
import type { TestDatabase } from '../databases.js';
import { ostiaryJson } from '../server-process.js';
import type { GraphDouble } from './graph-double.js';

/** One app of Facebook, as an operator knows it. */
export interface OwnApp {
  readonly id: string;
  readonly secret: string;
}

/** What a built server needs to reach a stand-in on this machine, and not to count its one address as an attacker's. */
export const TOWARDS_STAND_INS = {
  OUTBOUND_ALLOW: '127.0.0.1',
  OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '100000',
};

export async function createApplication({ env }: TestDatabase): Promise<Application> {
  const { application_id, auth_key, auth_secret } = await ostiaryJson<{
    application_id: number;
    auth_key: string;
    auth_secret: string;
  }>(env, 'apps', 'create', '--name', 'Test');
  return { id: application_id, authKey: auth_key, authSecret: auth_secret } as Application;
}

/** Adds a `facebook` provider over the command line, as an operator would. */
export async function addFacebook(
  database: TestDatabase,
  application: Application,
  slug: string,
  graph: GraphDouble,
  { id, secret }: OwnApp,
): Promise<void> {
  graph.addApp(id, secret);
  const options = { apps: { [id]: { app_secret: secret } }, graph_url: graph.url, dialog_url: graph.url };
  const file = join(database.dataDir, `${application.id}-${slug}.json`);
  writeFileSync(file, JSON.stringify({ kind: 'facebook', slug, options }));
  const words = ['providers', 'create', '--app', String(application.id), '--file', file];
  await ostiaryJson({ ...database.env, ...TOWARDS_STAND_INS }, ...words);
}
