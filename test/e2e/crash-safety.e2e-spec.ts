import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, PASSWORD, type Answer, type Begun } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';
import { TestStores } from '../support/test-stores.js';

/** Twenty restarts; on a busy machine each takes seconds. */
jest.setTimeout(600_000);

const ROUNDS = 20;
/** In each of so many rounds, both processes are killed. */
const BOTH_EVERY = 5;
const CLIENTS = 6;
const LONGEST_LIFE_MILLISECONDS = 600;
const RETRY_MILLISECONDS = 20;

interface Tokens {
  readonly token: string;
  readonly refresh_token: string;
}

/** Two servers that die and come back at other addresses. */
class Pair {
  private readonly servers: ServerProcess[] = [];

  constructor(private readonly env: Readonly<Record<string, string>>) {}

  async start(index: number): Promise<void> {
    this.servers[index] = await ServerProcess.start(this.env);
  }

  async kill(index: number): Promise<void> {
    await this.servers[index]!.end('SIGKILL');
  }

  api(index: number): ApiClient {
    return new ApiClient(this.servers[index]!.url);
  }

  /** As an app does whose request was cut off: tries again, at the other address. */
  async ask<Body>(first: number, ...request: Parameters<ApiClient['send']>): Promise<Answer<Body>> {
    for (let attempt = first; ; attempt += 1) {
      try {
        const answer = await this.api(attempt % 2).send<Body>(...request);
        if (answer.status !== 503) return answer;
      } catch {
        // Killed with our request in its hands, or not back yet.
      }
      await delay(RETRY_MILLISECONDS);
    }
  }
}

/** A user with an app: signs up, signs in, refreshes, signs out, and writes down what it was promised. */
class HonestClient {
  readonly logins: string[] = [];
  readonly ended: Tokens[] = [];
  present: Tokens | null = null;
  refreshes = 0;

  constructor(
    private readonly pair: Pair,
    private readonly application: Application,
    private readonly name: string,
  ) {}

  async live(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (!this.present) await this.comeIn();
      else if (Math.random() < 0.15) await this.leave(this.present);
      else await this.refresh(this.present);
    }
  }

  private async comeIn(): Promise<void> {
    const login = `${this.name}-${this.logins.length}`;
    const signUp = { as: this.application, body: { login, password: PASSWORD } };
    const { status, text } = await this.ask('POST', '/v1/users', signUp);
    // Taken: by the try before, whose answer was lost.
    expect({ status, text }).toMatchObject({ status: status === 409 ? 409 : 201 });
    this.logins.push(login);
    const body = { provider: 'password', credential: { login, password: PASSWORD } };
    const begun = await this.ask<Begun>('POST', '/v1/sessions', { as: this.application, body });
    expect({ status: begun.status, text: begun.text }).toMatchObject({ status: 201 });
    this.present = tokensOf(begun.body);
  }

  /** Two of its windows refresh at the same moment. */
  private async refresh(tokens: Tokens): Promise<void> {
    const body = { refresh_token: tokens.refresh_token };
    const answers = await Promise.all(
      [0, 1].map((first) => this.pair.ask<Begun>(first, 'POST', '/v1/session/refresh', { body })),
    );
    for (const { status, text } of answers) expect({ status, text }).toMatchObject({ status: 200 });
    const [one, another] = answers.map((answer) => tokensOf(answer.body)) as [Tokens, Tokens];
    expect(one).toEqual(another);
    this.present = one;
    this.refreshes += 1;
    const { status } = await this.ask('GET', '/v1/session', { as: one.token });
    expect(status).toBe(200);
  }

  private async leave(tokens: Tokens): Promise<void> {
    const { status } = await this.ask('DELETE', '/v1/session', { as: tokens.token });
    // Refused: ended by the try before, whose answer was lost.
    expect([204, 401]).toContain(status);
    this.ended.push(tokens);
    this.present = null;
  }

  private ask<Body>(...request: Parameters<ApiClient['send']>): Promise<Answer<Body>> {
    return this.pair.ask<Body>(Math.random() < 0.5 ? 0 : 1, ...request);
  }
}

function tokensOf({ session }: Begun): Tokens {
  return { token: session.token, refresh_token: session.refresh_token! };
}

describeOnEachDatabase('two processes that are killed at random moments', (kind) => {
  let database: TestDatabase;
  let pair: Pair;

  beforeEach(async () => {
    database = await createDatabase(kind);
    pair = new Pair(database.env);
    await Promise.all([pair.start(0), pair.start(1)]);
  });
  afterEach(async () => {
    await Promise.all([pair.kill(0), pair.kill(1)]);
    await database.remove();
  });

  it('lose no user, keep no ended session, give no token two successors and sign nobody out', async () => {
    const created = await ostiaryJson<{ application_id: number; auth_key: string; auth_secret: string }>(
      database.env,
      ...['apps', 'create', '--name', 'Test'],
    );
    const { application_id: id, auth_key: authKey, auth_secret: authSecret } = created;
    const application = { id, authKey, authSecret } as Application;
    await ostiaryJson(database.env, 'apps', 'set', '--app', String(id), 'refresh_tokens=on');
    const clients = Array.from(
      { length: CLIENTS },
      (_, i) => new HonestClient(pair, application, `client-${i}`),
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      let isOver = false;
      const lives = Promise.all(clients.map((client) => client.live(() => isOver)));
      await delay(Math.random() * LONGEST_LIFE_MILLISECONDS);
      const victims = round % BOTH_EVERY === BOTH_EVERY - 1 ? [0, 1] : [round % 2];
      await Promise.all(victims.map((victim) => pair.kill(victim)));
      await Promise.all(victims.map((victim) => pair.start(victim)));
      isOver = true;
      await lives;
      for (const { present } of clients) {
        if (!present) continue;
        for (const index of [0, 1]) {
          expect([round, (await pair.api(index).get('/v1/session', present.token)).status]).toEqual([
            round,
            200,
          ]);
        }
      }
    }
    // Both have been started anew in the last round, so that nothing is remembered but what is stored.
    for (const { token, refresh_token } of clients.flatMap(({ ended }) => ended)) {
      expect((await pair.api(0).get('/v1/session', token)).status).toBe(401);
      expect((await pair.api(1).refresh(refresh_token)).status).toBe(401);
    }
    const open = await TestStores.open(kind, { database });
    const users = await open.transactions.query<{ login: string }>('SELECT login FROM users ORDER BY login');
    await open.close();
    expect(users.map(({ login }) => login)).toEqual(clients.flatMap(({ logins }) => logins).sort());
    // Otherwise nothing was tried.
    for (const { logins, refreshes, ended } of clients) {
      expect([logins.length > 1, refreshes > ROUNDS, ended.length > 0]).toEqual([true, true, true]);
    }
  });
});
