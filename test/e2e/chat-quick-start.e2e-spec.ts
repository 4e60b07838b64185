import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { parseAdministration } from '../../src/chat/endings/administration.js';
import { ApiClient } from '../support/api-client.js';
import { ChatClients } from '../support/chat/chat-clients.js';
import { CHAT_DOMAIN } from '../support/chat/example.js';
import { Prosody } from '../support/chat/prosody.js';
import { WaywardProxy } from '../support/chat/wayward-proxy.js';
import { describeWithServer } from '../support/chat/with-server.js';
import { ostiaryJson, REPOSITORY, ServerProcess } from '../support/server-process.js';
import { TestAuthority } from '../support/tls/certificates.js';

/** Commands are processes of their own; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const BOUND_MILLISECONDS = 2000;

/** The administration that an example's README tells an operator to write. */
function administrationOf(example: string): Record<string, unknown> {
  const readme = readFileSync(join(REPOSITORY, 'examples', 'chat', example, 'README.md'), 'utf8');
  const [, json = ''] = /```json\n([^]*?)```/.exec(readme)!;
  return JSON.parse(json) as Record<string, unknown>;
}

describe('the administrations in the READMEs of the examples', () => {
  it.each(['prosody', 'ejabberd', 'rabbitmq'])('can be given to a chat client: %s', (example) => {
    expect(parseAdministration(administrationOf(example)).kind).toBe(example);
  });
});

describeWithServer('prosody', 'Prosody beside a server, set up as the README of the example says', () => {
  const authority = TestAuthority.named('Quick start authority');
  const folder = mkdtempSync(join(tmpdir(), 'ostiary-quick-start-'));
  const env = { DATA_DIR: folder, NODE_ENV: 'test', OUTBOUND_ALLOW: '127.0.0.1' };
  let application: Application;
  let server: ServerProcess;
  let administration: WaywardProxy;
  let prosody: Prosody;
  let clients: ChatClients;

  beforeAll(async () => {
    const made = await ostiaryJson<{ application_id: number; auth_key: string; auth_secret: string }>(
      env,
      ...['apps', 'create', '--name', 'Quick start'],
    );
    const { application_id: id, auth_key: authKey, auth_secret: authSecret } = made;
    application = { id, authKey, authSecret } as Application;
    server = await ServerProcess.start(env);
    const ofClient = await ostiaryJson<{ chat_client_id: number; secret: string }>(
      env,
      ...['chat-clients', 'create', '--app', String(id), '--name', 'prosody'],
    );
    prosody = await Prosody.start({ authority, brokerUrl: server.url, secret: ofClient.secret });
    administration = await WaywardProxy.before(prosody.kickUrl);
    const file = join(folder, 'administration.json');
    const document = {
      ...administrationOf('prosody'),
      url: administration.url,
      secret: Prosody.KICK_SECRET,
    };
    writeFileSync(file, JSON.stringify(document));
    const client = String(ofClient.chat_client_id);
    await ostiaryJson(env, 'chat-clients', 'set', '--client', client, '--file', file);
    clients = ChatClients.start(authority);
  });
  afterAll(async () => {
    await clients?.stop();
    await prosody?.stop();
    await administration?.close();
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const login = async (name: string) => {
    const api = new ApiClient(server.url);
    const { session } = await api.user(application, name);
    const connection = await clients.open({
      kind: 'xmpp',
      service: prosody.service('tls'),
      domain: CHAT_DOMAIN,
      username: `${session.user_id}-${application.id}`,
      password: session.token,
    });
    const end = async () =>
      expect((await api.send('DELETE', '/v1/session', { as: session.token })).status).toBe(204);
    return { connection, end };
  };

  it('ends a connection within two seconds of the end of its session', async () => {
    const { connection, end } = await login('ada');
    await end();
    const answered = Date.now();
    await connection.end();
    expect(Date.now() - answered).toBeLessThan(BOUND_MILLISECONDS);
  });

  it('ends it by itself once the administration is back', async () => {
    const { connection, end } = await login('bob');
    await administration.cause('status 503');
    const before = administration.requests;
    await end();
    while (administration.requests === before) await new Promise((resolve) => setImmediate(resolve));
    expect(connection.ended).toBeNull();
    await administration.mend();
    await connection.end();
  });
});
