import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * Facebook's Graph API as far as a sign-in asks it, and no more work than the answer takes: what it costs is in both
 * figures that are compared. A user's token is "EAA", their id, and what makes it as long as the real ones are.
 */

export interface GraphOrder {
  readonly appId: string;
  /** How long each answer takes; 0: at once. */
  readonly delayMilliseconds: number;
  /** `well` unless told otherwise. */
  readonly state?: GraphState;
}

/** What becomes of a request: an answer, a 500, or nothing at all. May be sent later, too. */
export type GraphState = 'well' | 'failing' | 'hanging';

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' };

process.once('message', ({ appId, delayMilliseconds, state: first = 'well' }: GraphOrder) => {
  let state: GraphState = first;
  process.on('message', (next: GraphState) => (state = next));
  const server = createServer((request, response) => {
    if (state === 'hanging') return;
    if (state === 'failing') return void response.writeHead(500).end();
    const url = request.url!;
    const isDebug = url.includes('/debug_token?');
    const token = isDebug
      ? url.slice(url.indexOf('input_token=') + 12)
      : request.headers.authorization!.slice(7);
    const id = /^EAA(\d+)Z/.exec(token)?.[1] ?? '';
    const body = JSON.stringify(isDebug ? debugAnswer(appId, id) : person(id));
    const answer = () => {
      response.writeHead(200, { ...JSON_HEADERS, 'content-length': Buffer.byteLength(body) });
      response.end(body);
    };
    if (delayMilliseconds === 0) answer();
    else setTimeout(answer, delayMilliseconds);
  });
  // Longer than a bench rests between rounds, so that connections are kept.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
});
process.once('disconnect', () => process.exit(0));

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
