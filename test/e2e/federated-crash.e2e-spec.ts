import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { SystemClock } from '../../src/time/clock.js';
import { ApiClient, type Answer, type Begun } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import {
  addFacebook,
  createApplication,
  TOWARDS_STAND_INS,
  type OwnApp,
} from '../support/facebook/facebook-installation.js';
import { GraphDouble } from '../support/facebook/graph-double.js';
import { ServerProcess } from '../support/server-process.js';
import { TestStores } from '../support/test-stores.js';

/** Ten restarts; on a busy machine each takes seconds. */
jest.setTimeout(300_000);

const ROUNDS = 10;
const GUESTS = 6;
const LONGEST_LIFE_MILLISECONDS = 300;
const RETRY_MILLISECONDS = 20;
const OWN_APP: OwnApp = { id: '1111111111111111', secret: '1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a' };
/** Who has a user from the start. */
const KNOWN = ['known-0', 'known-1', 'known-2'];

/** What breaks the promise "all or nothing", a statement each that finds it. */
const BROKEN: Readonly<Record<string, string>> = {
  'identities that lead to nobody':
    'SELECT * FROM external_identities WHERE user_id NOT IN (SELECT id FROM users)',
  'identities that lead to guests':
    'SELECT * FROM external_identities e JOIN users u ON u.id = e.user_id WHERE u.guest',
  'users whom nothing leads to': `SELECT * FROM users WHERE NOT guest AND password_hash IS NULL
    AND id NOT IN (SELECT user_id FROM external_identities)`,
  'sessions of nobody':
    'SELECT * FROM sessions WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM users)',
  'sessions for users that a provider has proved whom it does not lead to': `SELECT * FROM sessions
    WHERE provider = 'facebook' AND user_id NOT IN (SELECT user_id FROM external_identities)`,
  'links that the audit log does not know': `SELECT * FROM external_identities e WHERE 1 <> (SELECT count(*)
    FROM audit_entries a WHERE a.act = 'identity.linked' AND a.user_id = e.user_id)`,
};

describeOnEachDatabase('guests who sign in while processes are killed at random moments', (kind) => {
  let database: TestDatabase;
  let application: Application;
  let graph: GraphDouble;
  const servers: ServerProcess[] = [];

  const start = async (index: number) => {
    servers[index] = await ServerProcess.start({ ...database.env, ...TOWARDS_STAND_INS });
  };
  const api = (index: number) => new ApiClient(servers[index % 2]!.url);
  /** As an app does whose request was cut off: tries again, at the other address. */
  const ask = async <Body>(
    first: number,
    ...request: Parameters<ApiClient['send']>
  ): Promise<Answer<Body>> => {
    for (let attempt = first; ; attempt += 1) {
      try {
        const answer = await api(attempt).send<Body>(...request);
        if (answer.status !== 503) return answer;
      } catch {
        // Killed with our request in its hands, or not back yet.
      }
      await delay(RETRY_MILLISECONDS);
    }
  };
  const begin = async (index: number, body: object): Promise<Begun> => {
    const {
      status,
      text,
      body: begun,
    } = await ask<Begun>(index, 'POST', '/v1/sessions', {
      as: application,
      body,
    });
    expect({ status, text }).toMatchObject({ status: 201 });
    return begun;
  };
  const facebook = (access_token: string) => ({ provider: 'facebook', credential: { access_token } });

  beforeEach(async () => {
    database = await createDatabase(kind);
    application = await createApplication(database);
    graph = await GraphDouble.start(new SystemClock());
    await addFacebook(database, application, 'facebook', graph, OWN_APP);
    await Promise.all([start(0), start(1)]);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
    await graph.close();
    await database.remove();
  });

  it('D-16 become who they prove to be, wholly or not at all, and try again with the same token', async () => {
    const owners = new Map<string, number>();
    for (const [i, person] of KNOWN.entries()) {
      owners.set(person, (await begin(i, facebook(graph.userToken(OWN_APP.id, person)))).user!.id);
    }
    let comers = 0;
    const seen = { upgraded: 0, lost: 0 };

    /** A guest who becomes somebody, new or known, and comes in once more with the token they have. */
    const live = async (index: number, isOver: () => boolean) => {
      while (!isOver()) {
        comers += 1;
        const isNew = comers % 2 === 0;
        const person = isNew ? `new-${comers}` : KNOWN[comers % KNOWN.length]!;
        const token = graph.userToken(OWN_APP.id, person);
        const guest = await begin(index, { provider: 'guest' });
        const upgraded = await ask<Begun>(index, 'PUT', '/v1/session/user', {
          as: guest.session.token,
          body: facebook(token),
        });
        // Refused: the try before got through, and its answer was lost with the session's new token.
        expect([200, 401]).toContain(upgraded.status);
        const { user } = await begin(index + 1, facebook(token));
        if (upgraded.status === 200) expect(upgraded.body.user!.id).toBe(user!.id);
        if (isNew) expect(user!.id).toBe(guest.user!.id);
        else expect(user!.id).toBe(owners.get(person));
        expect(user!.guest).toBe(false);
        owners.set(person, user!.id);
        seen[upgraded.status === 200 ? 'upgraded' : 'lost'] += 1;
      }
    };

    for (let round = 0; round < ROUNDS; round += 1) {
      let isOver = false;
      const lives = Promise.all(Array.from({ length: GUESTS }, (_, i) => live(i, () => isOver)));
      await delay(Math.random() * LONGEST_LIFE_MILLISECONDS);
      await servers[round % 2]!.end('SIGKILL');
      // Who was cut off tries again at the other one, and comes to an end there.
      isOver = true;
      const back = start(round % 2);
      const open = await TestStores.open(kind, { database });
      for (const [what, sql] of Object.entries(BROKEN)) {
        expect([round, what, await open.transactions.query(sql)]).toEqual([round, what, []]);
      }
      await open.close();
      await Promise.all([back, lives]);
    }
    const open = await TestStores.open(kind, { database });
    const links = await open.transactions.query<{ subject: string; user_id: number }>(
      'SELECT subject, user_id FROM external_identities',
    );
    const [users] = await open.transactions.query<{ count: number }>(
      'SELECT count(*) AS count FROM users WHERE NOT guest',
    );
    await open.close();
    expect(new Map(links.map(({ subject, user_id }) => [subject, user_id]))).toEqual(
      new Map([...owners].map(([person, id]) => [graph.userId(OWN_APP.id, person), id])),
    );
    expect(Number(users!.count)).toBe(owners.size);
    // Otherwise nothing was tried.
    expect(seen.upgraded).toBeGreaterThan(ROUNDS);
  });
});
