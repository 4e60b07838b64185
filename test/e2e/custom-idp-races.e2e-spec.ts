import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { SystemClock } from '../../src/time/clock.js';
import { ApiClient, type Begun } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { createApplication, TOWARDS_STAND_INS } from '../support/facebook/facebook-installation.js';
import { CLIENT, IssuerDouble } from '../support/oidc/issuer-double.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';
import { signedToken } from '../support/signed-token.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const PRESENTATIONS = 40;
const SECRET = 'a secret of thirty-two and more bytes';
const ISSUER = 'https://partner.example';

describeOnEachDatabase('a token for one use, at two processes on one database', (kind) => {
  let database: TestDatabase;
  let issuer: IssuerDouble;
  let application: Application;
  let apis: ApiClient[] = [];
  let servers: ServerProcess[] = [];

  beforeEach(async () => {
    database = await createDatabase(kind);
    issuer = await IssuerDouble.start(new SystemClock());
    application = await createApplication(database);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
    await issuer.close();
    await database.remove();
  });

  const startTwo = async () => {
    const env = { ...database.env, ...TOWARDS_STAND_INS };
    servers = await Promise.all([ServerProcess.start(env), ServerProcess.start(env)]);
    apis = servers.map(({ url }) => new ApiClient(url));
  };
  /** Over the command line, as an operator would. */
  const addProvider = async (providerKind: string, options: object) => {
    const file = join(database.dataDir, 'partner.json');
    writeFileSync(file, JSON.stringify({ kind: providerKind, slug: 'partner', options }));
    const env = { ...database.env, ...TOWARDS_STAND_INS };
    await ostiaryJson(env, 'providers', 'create', '--app', String(application.id), '--file', file);
  };
  const presentedAtOnce = async (credential: object) => {
    const answers = await Promise.all(
      Array.from({ length: PRESENTATIONS }, (_, i) =>
        apis[i % 2]!.send<Begun & { code?: string }>('POST', '/v1/sessions', {
          as: application,
          body: { provider: 'partner', credential },
        }),
      ),
    );
    return answers.map(({ status, body }) => (status < 300 ? 'begun' : body.code)).toSorted();
  };
  const onlyOnce = ['begun', ...Array<string>(PRESENTATIONS - 1).fill('invalid_credentials')];

  it('B-15 begins one session for one jti, however often and wherever the token is presented', async () => {
    await addProvider('jwt', {
      issuer: ISSUER,
      audience: CLIENT.id,
      algorithms: ['HS256'],
      secret: SECRET,
      secret_encoding: 'utf-8',
      one_time: true,
    });
    await startTwo();
    const now = Math.floor(Date.now() / 1000);
    const token = (jti: string, more: object = {}) =>
      signedToken({
        header: { alg: 'HS256' },
        payload: { iss: ISSUER, aud: CLIENT.id, sub: 'ada', exp: now + 600, jti, ...more },
        key: SECRET,
      });
    expect(await presentedAtOnce({ token: token('one') })).toEqual(onlyOnce);
    // By its id it is known, not by its text.
    const again = await presentedAtOnce({ token: token('one', { name: 'Ada' }) });
    expect(new Set(again)).toEqual(new Set(['invalid_credentials']));
    expect(await presentedAtOnce({ token: token('two') })).toEqual(onlyOnce);
  });

  it('B-15 begins one session for one nonce, whichever process issued it', async () => {
    await addProvider('oidc', { issuer: issuer.issuer, client_id: CLIENT.id });
    await startTwo();
    const issued = await apis[0]!.send<{ nonce: string }>('POST', '/v1/sign-in/partner/nonces', {
      as: application,
    });
    const { nonce } = issued.body;
    const id_token = issuer.token('ada', { payload: { nonce } });
    expect(await presentedAtOnce({ id_token })).toEqual(onlyOnce);
    const another = issuer.token('grace', { payload: { nonce } });
    expect(new Set(await presentedAtOnce({ id_token: another }))).toEqual(new Set(['invalid_credentials']));
  });
});
