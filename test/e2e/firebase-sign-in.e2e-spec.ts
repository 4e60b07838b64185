import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, type Begun } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { FirebaseEmulator, type EmulatorSignIn } from '../support/firebase/emulator.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';

describeOnEachDatabase('signing in with Firebase, beside the real emulator', (kind) => {
  let emulator: FirebaseEmulator;
  let database: TestDatabase;
  let server: ServerProcess;
  let api: ApiClient;
  let application: Application;

  beforeAll(async () => {
    [emulator, database] = await Promise.all([FirebaseEmulator.start(), createDatabase(kind)]);
    const env = { ...database.env, OUTBOUND_ALLOW: '127.0.0.1' };
    const made = await ostiaryJson<{ application_id: number; auth_key: string; auth_secret: string }>(
      env,
      'apps',
      'create',
      '--name',
      'Demo',
    );
    application = {
      id: made.application_id,
      authKey: made.auth_key,
      authSecret: made.auth_secret,
    } as Application;
    const file = join(database.dataDir, 'firebase.yaml');
    writeFileSync(
      file,
      `kind: firebase
slug: firebase
options:
  project_id: ${emulator.projectId}
  sign_in_methods: [phone, password, google.com]
  emulator: { host: "${emulator.host}" }
`,
    );
    await ostiaryJson(env, 'providers', 'create', '--app', String(application.id), '--file', file);
    server = await ServerProcess.start(env);
    api = new ApiClient(server.url);
  }, 180_000);
  afterAll(async () => {
    await server?.end();
    await emulator?.stop();
    await database?.remove();
  });

  const presented = ({ idToken }: EmulatorSignIn) => ({
    provider: 'firebase',
    credential: { id_token: idToken },
  });
  const begin = (signIn: EmulatorSignIn) =>
    api.send<Begun>('POST', '/v1/sessions', { as: application, body: presented(signIn) });

  it.each([
    ['a phone number and the code of the message', () => emulator.signInWithPhone('+4915112345699')],
    ['an e-mail address', () => emulator.signUpWithEmail('e2e@example.org')],
    ['Google', () => emulator.signInWithGoogle('110248495921238986499', 'grace-e2e@example.org')],
  ])('%s begins a session, and upgrades one, for one user', async (_, signIn) => {
    const proof = await signIn();
    const begun = await begin(proof);
    expect(begun.status).toBe(201);
    expect(begun.body.session).toMatchObject({ kind: 'user', provider: 'firebase' });
    const app = await api.applicationSession(application);
    const upgraded = await api.send<Begun>('PUT', '/v1/session/user', {
      as: app.token,
      body: presented(proof),
    });
    expect(upgraded.status).toBe(200);
    expect(upgraded.body.session).toMatchObject({ id: app.id, user_id: begun.body.user!.id });
    expect((await api.get('/v1/users/me', upgraded.body.session.token)).status).toBe(200);
    // Anybody can make an emulator's tokens: what they say of addresses is nobody's login.
    expect(begun.body.user).toMatchObject({ email: null, phone: null });
  });

  it('A-11 refuses a user whom Firebase has disabled', async () => {
    const proof = await emulator.signUpWithEmail('disabled-e2e@example.org');
    expect((await begin(proof)).status).toBe(201);
    await emulator.disable(proof.localId);
    expect((await begin(proof)).body).toMatchObject({ code: 'invalid_credentials' });
  });

  it('leaves no token in the log', async () => {
    const proof = await emulator.signUpWithEmail('log-e2e@example.org');
    await begin(proof);
    const log = JSON.stringify(server.log);
    expect(log).toContain('/v1/sessions');
    expect(log).not.toContain(proof.idToken);
    expect(log).not.toContain(proof.idToken.split('.')[1]);
  });
});
