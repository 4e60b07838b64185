import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * Providers as far as a sign-in asks them, and no more work than the answer takes: what it costs is in both figures that
 * are compared. Facebook's Graph API (`/debug_token`, `/me`), and a partner that is asked by POST (`/verify`). A user's
 * token is "EAA", their id, and what makes it as long as real ones are.
 */

export interface ProviderOrder {
  /** Facebook's app. */
  readonly appId: string;
  /**
   * How long answers take on average; 0: at once. Between half and one and a half of it, always the same for the same
   * token: people are not answered in step, and whoever asks for the same people waits as long.
   */
  readonly delayMilliseconds: number;
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' };

process.once('message', ({ appId, delayMilliseconds }: ProviderOrder) => {
  const server = createServer((request, response) => {
    const answer = (id: string, document: unknown) => {
      const body = JSON.stringify(document);
      const send = () => {
        response.writeHead(200, { ...JSON_HEADERS, 'content-length': Buffer.byteLength(body) });
        response.end(body);
      };
      if (delayMilliseconds === 0) send();
      else setTimeout(send, delayMilliseconds * (0.5 + share(id)));
    };
    const url = request.url!;
    if (request.method === 'POST') {
      let sent = '';
      request.on('data', (chunk: Buffer) => (sent += chunk.toString()));
      request.on('end', () => {
        const id = idOf((JSON.parse(sent) as { token: string }).token);
        answer(id, { user: { id, login: `person-${id}`, name: `Person ${id}`, email: `${id}@example.org` } });
      });
      return;
    }
    const isDebug = url.includes('/debug_token?');
    const id = idOf(
      isDebug ? url.slice(url.indexOf('input_token=') + 12) : request.headers.authorization!.slice(7),
    );
    answer(id, isDebug ? debugAnswer(appId, id) : person(id));
  });
  // Longer than a bench rests between rounds, so that connections are kept.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
});
process.once('disconnect', () => process.exit(0));

function idOf(token: string): string {
  return /^EAA(\d+)Z/.exec(token)?.[1] ?? '';
}

/** From 0 to 1, spread evenly over people. */
function share(id: string): number {
  return (Number(id.slice(-4)) * 0.618_033_988_75) % 1;
}

function debugAnswer(appId: string, id: string) {
  const now = Math.floor(Date.now() / 1000);
  return {
    data: {
      app_id: appId,
      type: 'USER',
      application: 'An app',
      data_access_expires_at: now + 7_776_000,
      expires_at: now + 5_184_000,
      is_valid: true,
      issued_at: now - 60,
      scopes: ['email', 'public_profile'],
      user_id: id,
    },
  };
}

function person(id: string) {
  const url = `https://platform-lookaside.example/${id}.jpg`;
  return {
    id,
    name: `Person ${id}`,
    email: `${id}@example.org`,
    picture: { data: { height: 50, is_silhouette: false, url, width: 50 } },
  };
}
