import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ChatClientsService } from '../../../src/chat/clients/chat-clients.service.js';
import { PASSWORD } from '../api-client.js';
import type { ChatConnection } from './chat-clients.js';
import type { ChatStage, ChatUser } from './chat-stage.js';
import { WaywardProxy } from './wayward-proxy.js';

interface Scenarios {
  readonly stage: () => ChatStage;
  /** Where the server's administration answers. */
  readonly administrationUrl: () => string;
  /** What the chat client is given, with the way to that. */
  readonly administration: (url: string) => object;
  /** Opens a connection and finds that it carries messages. */
  readonly open: (user: ChatUser) => Promise<ChatConnection>;
  /** Whether the server knows which session opened a connection; one that does not ends all of a user's. */
  readonly knowsSessions: boolean;
}

const BOUND_MILLISECONDS = 2000;

/** What becomes of open connections when the sessions that opened them end. */
export function itDropsWhatEndedSessionsOpened(scenarios: Scenarios): void {
  const { stage, open, knowsSessions } = scenarios;
  let administration: WaywardProxy;

  beforeAll(async () => {
    administration = await WaywardProxy.before(scenarios.administrationUrl());
    const clients = stage().app.app.get(ChatClientsService, { strict: false });
    await clients.setAdministration(stage().clientId, scenarios.administration(administration.url));
  });
  afterAll(() => administration?.close());

  const send = async (method: string, path: string, as: string, body?: object) => {
    const answer = await stage().app.api.send(method, path, { as, ...(body && { body }) });
    expect({ path, status: answer.status, text: answer.text }).toMatchObject({
      path,
      status: expect.any(Number),
    });
    expect(answer.status).toBeLessThan(300);
  };
  /** Acts, and waits for the connection to end. */
  const expectDrop = async (connection: ChatConnection, act: () => Promise<void>) => {
    expect(connection.ended).toBeNull();
    await act();
    const answered = Date.now();
    await connection.end();
    expect(Date.now() - answered).toBeLessThan(BOUND_MILLISECONDS);
  };

  it('drops a connection within two seconds when its session ends, and that of nobody else', async () => {
    const [ada, bob] = [await stage().user(), await stage().user()];
    const [ending, staying] = [await open(ada), await open(bob)];
    await expectDrop(ending, () => send('DELETE', '/v1/session', ada.token));
    expect(staying.ended).toBeNull();
    await expectDrop(staying, () => send('DELETE', '/v1/session', bob.token));
  });

  it('drops a connection when its user signs out and the session goes on without anybody', async () => {
    const ada = await stage().user();
    await expectDrop(await open(ada), () => send('DELETE', '/v1/session/user', ada.token));
  });

  it('drops a connection when its session is ended from another one, which keeps its own', async () => {
    const ada = await stage().user();
    const elsewhere = await stage().again(ada);
    const connection = await open(ada);
    const kept = knowsSessions ? await open(elsewhere) : null;
    await expectDrop(connection, () => send('DELETE', '/v1/users/me/sessions', elsewhere.token));
    expect(kept?.ended ?? null).toBeNull();
    // Where all are ended, whose session goes on comes back.
    const back = kept ?? (await open(elsewhere));
    await back.close();
  });

  it('drops the connections of a user who is disabled', async () => {
    const ada = await stage().user();
    const connections = [await open(ada), await open(await stage().again(ada))];
    const owner = await stage().app.createAdminKey('owner');
    const path = `/admin/v1/applications/${ada.applicationId}/users/${ada.id}/disable`;
    await send('POST', path, owner);
    await Promise.all(connections.map((connection) => connection.end()));
  });

  it('drops the connections of the other sessions when a user chooses a new password', async () => {
    const ada = await stage().user();
    const other = await stage().again(ada);
    const connection = await open(other);
    await expectDrop(connection, () =>
      send('PUT', '/v1/users/me/password', ada.token, {
        old_password: PASSWORD,
        password: 'another correct horse battery',
      }),
    );
  });

  it('drops a connection later when the server’s administration was away meanwhile', async () => {
    const ada = await stage().user();
    const connection = await open(ada);
    await administration.cause('status 503');
    try {
      const before = administration.requests;
      await send('DELETE', '/v1/session', ada.token);
      while (administration.requests === before) await new Promise((resolve) => setImmediate(resolve));
      await administration.cause('down');
      await stage().pass({ minutes: 1 });
      expect(connection.ended).toBeNull();
    } finally {
      await administration.mend();
    }
    // No try comes later than five minutes after the one before it.
    for (let minutes = 0; minutes < 6; minutes += 1) await stage().pass({ minutes: 1 });
    await connection.end();
  });
}
