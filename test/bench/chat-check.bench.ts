import { tokenHash } from '../../src/session/access-token.js';
import type { Bench, BenchContext, Figure } from './support/bench.js';
import { startBareServer } from './support/bare.js';
import { createPostgres, createSqlite, type BenchDatabase } from './support/bench-database.js';
import { createApplication, createChatClient } from './support/installation.js';
import { ServerProcess } from './support/server-process.js';
import {
  CONNECTIONS_IN_WORDS,
  figuresOf,
  measure,
  type Sample,
  type Target,
} from './support/session-checks.js';
import { spread } from './support/statistics.js';
import { storeSessions } from './support/stored-sessions.js';

const ROUNDS = 7;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 3;
const SESSIONS = 1000;

const GOAL = { atLeast: 0.45 };

export const chatCheck: Bench = {
  name: 'chat-check',
  asks: 'POST /chat/verify and GET /chat/xmpp/check_password beside a bare node:http server that answers the same bytes',
  goals: ['sessions in memory: at least 0.45 of the bare server each, on SQLite and on PostgreSQL'],
  run: runChatCheck,
};

interface Question {
  readonly name: string;
  readonly requests: readonly string[];
  readonly answer: { readonly contentType: string; readonly body: string };
}

async function runChatCheck(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(4 + 2 * 2 * (2 + ROUNDS * 2));
  const figures: Figure[] = [];
  for (const database of [createSqlite(resources), await createPostgres(resources)]) {
    progress.step(`storing sessions in ${database.kind}`);
    const stored = await store(database, context);
    const server = await ServerProcess.start(database, resources);
    for (const question of await questionsOf(server, stored)) {
      figures.push(...(await compare(context, `${question.name}, ${database.kind}`, server, question)));
    }
    await server.stop();
  }
  return {
    conditions: {
      connections: CONNECTIONS_IN_WORDS,
      warm: `${ROUNDS} rounds of ${ROUND_SECONDS} s each, bare and Ostiary in turn, ${SESSIONS} sessions of an application with a chat client of its own`,
      control: 'node:http that reads nothing of a request and answers the same bytes to each',
    },
    figures,
  };
}

interface Stored {
  readonly secret: string;
  readonly logins: readonly { readonly user: string; readonly token: string }[];
}

async function store(database: BenchDatabase, { resources }: BenchContext): Promise<Stored> {
  const { id } = await createApplication(database, resources);
  const { secret } = await createChatClient(database, resources, id);
  const tokens = await storeSessions(database, id, SESSIONS);
  const owners = await ownersOf(database, tokens);
  return { secret, logins: tokens.map((token, i) => ({ user: `${owners[i]}-${id}`, token })) };
}

async function ownersOf(database: BenchDatabase, tokens: readonly string[]): Promise<number[]> {
  const rows = await database.query<{ token_hash: string; user_id: number }>(
    'SELECT token_hash, user_id FROM sessions',
  );
  const owners = new Map(rows.map((row) => [row.token_hash, row.user_id]));
  return tokens.map((token) => owners.get(tokenHash(token))!);
}

/** The two questions as their chat servers put them, and what Ostiary answers, for the bare server to repeat. */
async function questionsOf(server: ServerProcess, { secret, logins }: Stored): Promise<Question[]> {
  const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${secret}\r\n`;
  const posts = logins.map(({ user, token }) => {
    const body = JSON.stringify({ username: user, domain: 'chat.example.com', password: token });
    return `POST /chat/verify HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  });
  const gets = logins.map(
    ({ user, token }) =>
      `GET /chat/xmpp/check_password?user=${user}&server=chat.example.com&pass=${token} HTTP/1.1\r\n${head}\r\n`,
  );
  const { user, token } = logins[0]!;
  const headers = { authorization: `Bearer ${secret}` };
  const verify = await fetch(`${server.url}/chat/verify`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ username: user, domain: 'chat.example.com', password: token }),
  });
  const check = await fetch(
    `${server.url}/chat/xmpp/check_password?user=${user}&server=chat.example.com&pass=${token}`,
    { headers },
  );
  return [
    { name: 'POST /chat/verify', requests: posts, answer: await allowed(verify, '"allow":true') },
    { name: 'GET /chat/xmpp/check_password', requests: gets, answer: await allowed(check, 'true') },
  ];
}

async function allowed(response: Response, part: string) {
  const body = await response.text();
  if (response.status !== 200 || !body.includes(part))
    throw new Error(`A right token was answered ${response.status}: ${body}`);
  return { contentType: response.headers.get('content-type')!, body };
}

async function compare(
  { progress, resources }: BenchContext,
  name: string,
  server: ServerProcess,
  { requests, answer }: Question,
): Promise<Figure[]> {
  const bare: Target = await startBareServer(answer, resources);
  for (const [who, target] of [
    ['bare', bare],
    ['Ostiary', server],
  ] as const) {
    progress.step(`${name}: warming up ${who}`);
    await measure(target, requests, { seconds: WARM_UP_SECONDS });
  }
  const ofBare: Sample[] = [];
  const samples: Sample[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress.step(`${name}, round ${round}: bare`);
    ofBare.push(await measure(bare, requests, { seconds: ROUND_SECONDS }));
    progress.step(`${name}, round ${round}: Ostiary`);
    samples.push(await measure(server, requests, { seconds: ROUND_SECONDS }));
  }
  // Round by round, so that a slow moment of the machine weighs on both sides.
  const shares = samples.map((sample, i) => sample.requestsPerSecond / ofBare[i]!.requestsPerSecond);
  const byCpu = samples.map((sample, i) => ofBare[i]!.cpuMicroseconds / sample.cpuMicroseconds);
  return [
    ...figuresOf(`bare ${name}`, ofBare),
    ...figuresOf(name, samples),
    { name: `${name}: bare server's processor time per Ostiary's`, unit: '', ...spread(byCpu) },
    { name: `${name}: share of the bare server's rate`, unit: '', ...spread(shares), goal: GOAL },
  ];
}
