import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import { ChatClientsService } from '../../src/chat/clients/chat-clients.service.js';
import { PASSWORD, type Begun } from '../support/api-client.js';
import { ChatServer } from '../support/chat/chat-server.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

describeOnEachDatabase('the question of a chat server', (kind) => {
  let server: TestApp;
  let application: Application;
  let chat: ChatServer;
  let alice: Begun;
  let name: string;
  let users = 0;

  beforeAll(async () => {
    server = await TestApp.start(kind);
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    application = await server.createApplication();
    chat = await ChatServer.create(server, application);
    alice = await server.api.user(application, `alice-${(users += 1)}`);
    name = `${alice.session.user_id}-${application.id}`;
  });

  const isAllowed = async (username: string, password: string, domain?: string) => {
    const { status, body } = await chat.verify(username, password, domain);
    expect(status).toBe(200);
    return (JSON.parse(body) as { allow: boolean }).allow;
  };
  const set = async (settings: Record<string, unknown>) => {
    application = await server.createApplication(settings);
    chat = await ChatServer.create(server, application);
    alice = await server.api.user(application, `alice-${(users += 1)}`);
    name = `${alice.session.user_id}-${application.id}`;
  };

  it('is answered with who it is and until when', async () => {
    const { status, body, headers } = await chat.verify(name, alice.session.token);
    expect({ status, body: JSON.parse(body) as unknown }).toEqual({
      status: 200,
      body: {
        allow: true,
        user_id: alice.session.user_id,
        app_id: application.id,
        session_id: alice.session.id,
        expires_at: alice.session.expires_at,
      },
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-length')).toBe(String(body.length));
  });

  it('takes the token of exactly that user in exactly that application', async () => {
    const bob = await server.api.user(application, `bob-${users}`);
    expect(await isAllowed(name, alice.session.token)).toBe(true);
    expect(await isAllowed(name, bob.session.token)).toBe(false);
    expect(await isAllowed(`${alice.session.user_id}-${application.id + 1}`, alice.session.token)).toBe(
      false,
    );
    expect(await isAllowed(name, `osta_${'A'.repeat(43)}`)).toBe(false);
    expect(await isAllowed(name, '')).toBe(false);
  });

  it('takes a domain at the end of the name or beside it, but no two', async () => {
    const { token } = alice.session;
    expect(await isAllowed(`${name}@chat.local`, token)).toBe(true);
    expect(await isAllowed(name, token, 'chat.local')).toBe(true);
    expect(await isAllowed(`${name}@Chat.local`, token, 'chat.LOCAL')).toBe(true);
    expect(await isAllowed(`${name}@chat.local`, token, 'other.local')).toBe(false);
  });

  it('is denied for an application that has its chat off', async () => {
    await set({ chat: false });
    expect(await isAllowed(name, alice.session.token)).toBe(false);
  });

  it('is denied to the chat server of another application', async () => {
    const other = await ChatServer.create(server, await server.createApplication());
    expect((await other.verify(name, alice.session.token)).body).toBe('{"allow":false}');
    const everybody = await ChatServer.create(server);
    expect((await everybody.verify(name, alice.session.token)).body).toContain('"allow":true');
  });

  it('is a use of the session, unless the application says otherwise', async () => {
    const lives = async () => {
      server.clock.advance({ minutes: 100 });
      await chat.verify(name, alice.session.token);
      server.clock.advance({ minutes: 100 });
      return isAllowed(name, alice.session.token);
    };
    expect(await lives()).toBe(true);
    await set({ chat_checks_count_as_use: false });
    expect(await lives()).toBe(false);
  });

  describe('where the account password opens chats', () => {
    beforeEach(() => set({ chat_password: true }));

    it('takes the password of that user', async () => {
      const { body } = await chat.verify(name, PASSWORD);
      expect(JSON.parse(body)).toEqual({
        allow: true,
        user_id: alice.session.user_id,
        app_id: application.id,
        session_id: null,
        expires_at: null,
      });
      expect(await isAllowed(name, 'a wrong one')).toBe(false);
      expect(await isAllowed(`999999-${application.id}`, PASSWORD)).toBe(false);
    });

    it('pauses passwords after many wrong ones, and no right token', async () => {
      for (let i = 0; i < 10; i += 1) expect(await isAllowed(name, `wrong ${i}`)).toBe(false);
      expect(await isAllowed(name, PASSWORD)).toBe(false);
      expect(await isAllowed(name, alice.session.token)).toBe(true);
      const { text } = await server.api.get('/metrics');
      expect(text).toMatch(/ostiary_chat_checks_total\{adapter="verify",verdict="throttled"\} [1-9]/);
    });

    it('shares its counters with sign-ins', async () => {
      for (let i = 0; i < 10; i += 1) await chat.verify(name, `wrong ${i}`);
      const { status } = await server.api.send('POST', '/v1/sessions', {
        as: application,
        body: { provider: 'password', credential: { login: `alice-${users}`, password: PASSWORD } },
      });
      expect(status).toBe(429);
    });

    it('keeps one user’s wrong passwords from another one of the same chat server', async () => {
      const bob = await server.api.user(application, `bob-${users}`);
      for (let i = 0; i < 30; i += 1) await chat.verify(name, `wrong ${i}`);
      expect(await isAllowed(`${bob.session.user_id}-${application.id}`, PASSWORD)).toBe(true);
    });

    it('pauses passwords after very many wrong tokens, and no right token', async () => {
      for (let i = 0; i < 100; i += 1) {
        await chat.verify(name, `osta_${String(i).padStart(43, '0')}`);
      }
      expect(await isAllowed(name, PASSWORD)).toBe(false);
      expect(await isAllowed(name, alice.session.token)).toBe(true);
    });

    it('takes none of an application whose users sign in elsewhere', async () => {
      const applications = server.app.get(ApplicationsService, { strict: false });
      await applications.set(application.id, { password_sign_in: 'partner' });
      expect(await isAllowed(name, PASSWORD)).toBe(false);
      await applications.set(application.id, { password_sign_in: 'partner,local' });
      expect(await isAllowed(name, PASSWORD)).toBe(true);
    });
  });

  it('takes no password where the application does not say so', async () => {
    expect(await isAllowed(name, PASSWORD)).toBe(false);
  });

  it('is refused with 401 and nothing else to whoever is no chat client', async () => {
    const body = JSON.stringify({ username: name, password: alice.session.token });
    const tries: Record<string, string>[] = [
      {},
      { Authorization: 'Bearer' },
      { Authorization: `Bearer oscc_${'A'.repeat(43)}` },
      { Authorization: `Bearer ${alice.session.token}` },
      { Authorization: `Basic ${Buffer.from(`${chat.id + 1}:${chat.secret}`).toString('base64')}` },
    ];
    for (const headers of tries) {
      const answer = await chat.send('/chat/verify', { headers, body });
      expect([answer.status, answer.body]).toEqual([401, '']);
    }
  });

  it('may come with the secret as a bearer, as HTTP Basic or in the path', async () => {
    const body = JSON.stringify({ username: name, password: alice.session.token });
    const basic = `Basic ${Buffer.from(`${chat.id}:${chat.secret}`).toString('base64')}`;
    const answers = [
      await chat.ask('/verify', { body }),
      await chat.send('/chat/verify', { headers: { Authorization: basic }, body }),
      await chat.askByPath('/verify', { body }),
    ];
    expect(answers.map((answer) => answer.body.includes('"allow":true'))).toEqual([true, true, true]);
  });

  it('is refused from a chat client that was revoked or has another secret now', async () => {
    const clients = server.app.get(ChatClientsService, { strict: false });
    expect(await isAllowed(name, alice.session.token)).toBe(true);
    const rotated = await clients.rotateSecret(chat.id);
    expect((await chat.verify(name, alice.session.token)).status).toBe(401);
    const headers = { Authorization: `Bearer ${rotated!.secret}` };
    const body = JSON.stringify({ username: name, password: alice.session.token });
    expect((await chat.send('/chat/verify', { headers, body })).status).toBe(200);
    await clients.revoke(chat.id);
    expect((await chat.send('/chat/verify', { headers, body })).status).toBe(401);
  });
});
