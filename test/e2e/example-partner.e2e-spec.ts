import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, type Begun } from '../support/api-client.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { createApplication, TOWARDS_STAND_INS } from '../support/facebook/facebook-installation.js';
import { ostiary, REPOSITORY, ServerProcess } from '../support/server-process.js';

const EXAMPLE = join(REPOSITORY, 'examples', 'partner');

describe('the sample partner', () => {
  let database: TestDatabase;
  let partner: SamplePartner;
  let server: ServerProcess;
  let application: Application;

  beforeAll(async () => {
    [database, partner] = await Promise.all([createDatabase('sqlite'), SamplePartner.start()]);
    application = await createApplication(database);
    server = await ServerProcess.start({ ...database.env, ...TOWARDS_STAND_INS });
  });
  afterAll(async () => {
    await server?.end();
    await partner?.stop();
    await database?.remove();
  });

  /** A definition as it stands in the folder, for the port that the partner got. */
  const create = async (name: string) => {
    const path = join(database.dataDir, name);
    const text = readFileSync(join(EXAMPLE, name), 'utf8');
    expect(text).toContain('http://127.0.0.1:8090');
    writeFileSync(path, text.replace('http://127.0.0.1:8090', partner.url));
    const app = String(application.id);
    const env = { ...database.env, ...TOWARDS_STAND_INS };
    return ostiary(env, 'providers', 'create', '--app', app, '--file', path);
  };
  const begin = (provider: string, credential: object) =>
    new ApiClient(server.url).send<Begun & { code?: string }>('POST', '/v1/sessions', {
      as: application,
      body: { provider, credential },
    });

  it('says where it listens and whom it knows', () => {
    expect(partner.output).toMatch(/listens on http:\/\/127\.0\.0\.1:\d+/);
    for (const word of ['/verify', '/login', 'ada-token-1815', 'grace-token-1906', 'suspended']) {
      expect(partner.output).toContain(word);
    }
  });

  it('signs people in by their tokens, with the definition beside it', async () => {
    expect(await create('provider.yaml')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('plain HTTP'),
    });
    const ada = await begin('partner', { token: 'ada-token-1815' });
    expect(ada.status).toBe(201);
    expect(ada.body.session).toMatchObject({ kind: 'user', provider: 'partner' });
    const again = await begin('partner', { token: 'ada-token-1815' });
    expect(again.body.session.user_id).toBe(ada.body.session.user_id);
    const grace = await begin('partner', { token: 'grace-token-1906' });
    expect(grace.body.session.user_id).not.toBe(ada.body.session.user_id);
    for (const token of ['mallory-token-0000', 'nobody', 'ada-token-1815 ']) {
      const refused = await begin('partner', { token });
      expect({ status: refused.status, code: refused.body.code }).toEqual({
        status: 401,
        code: 'invalid_credentials',
      });
    }
  });

  it('signs people in by its own login form', async () => {
    expect((await create('login-form.yaml')).code).toBe(0);
    expect((await begin('partner-login', { login: 'grace', password: 'compiler' })).status).toBe(201);
    expect((await begin('partner-login', { login: 'grace', password: 'engine' })).status).toBe(401);
  });

  it('shows each request, and nothing of what was in it', () => {
    const [, requests] = partner.output.split('Ctrl-C stops the partner.');
    expect(requests).toContain('POST /verify  200 ada');
    expect(requests).toContain('POST /verify  403 mallory');
    expect(requests).toContain('POST /login   401');
    expect(requests).not.toMatch(/token|compiler|engine/);
  });

  it('says which port is in use', async () => {
    const { port } = new URL(partner.url);
    const second = run({ PORT: port });
    let text = '';
    second.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    expect(await once(second, 'close')).toEqual([1, null]);
    expect(text).toContain(`Port ${port} is in use`);
  });
});

/** `npm run example:partner`, in a process of its own. */
class SamplePartner {
  private text = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
  }

  static async start(): Promise<SamplePartner> {
    const partner = new SamplePartner(run({ PORT: '0' }));
    while (!partner.text.includes('Ctrl-C')) await once(partner.child.stdout!, 'data');
    return partner;
  }

  get output(): string {
    return this.text;
  }

  get url(): string {
    return /http:\/\/127\.0\.0\.1:\d+/.exec(this.text)![0];
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
  }
}

/** What the script of package.json runs. */
function run(env: Readonly<Record<string, string>>): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, file] = /^node (\S+)$/.exec(scripts['example:partner']!)!;
  return spawn(process.execPath, [file!], {
    cwd: REPOSITORY,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
