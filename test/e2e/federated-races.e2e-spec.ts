import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { SystemClock } from '../../src/time/clock.js';
import { ApiClient, PASSWORD, type Answer, type Begun } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import {
  addFacebook,
  createApplication,
  TOWARDS_STAND_INS,
  type OwnApp,
} from '../support/facebook/facebook-installation.js';
import { GraphDouble } from '../support/facebook/graph-double.js';
import { Lab, type LinkAnswer } from '../support/lab/lab.js';
import { ServerProcess } from '../support/server-process.js';
import { TestStores } from '../support/test-stores.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const SIGN_INS = 200;
const ONE_APP: OwnApp = { id: '1111111111111111', secret: '1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a' };
const OTHER_APP: OwnApp = { id: '2222222222222222', secret: '2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b' };

/** One (provider, subject) → user, as stored. */
interface LinkRow {
  readonly subject: string;
  readonly user_id: number;
}

const codeOf = ({ status, body }: Answer<unknown>) =>
  status < 300 ? String(status) : `${status} ${String((body as Record<string, unknown>)['code'])}`;

describeOnEachDatabase('sign-ins at two processes on one database', (kind) => {
  let database: TestDatabase;
  let apis: ApiClient[] = [];
  const running: ServerProcess[] = [];
  const graphs: GraphDouble[] = [];

  beforeEach(async () => {
    database = await createDatabase(kind);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.end('SIGKILL')));
    await Promise.all(graphs.splice(0).map((graph) => graph.close()));
    await database.remove();
  });

  const startTwo = async () => {
    const env = { ...database.env, ...TOWARDS_STAND_INS };
    running.push(...(await Promise.all([ServerProcess.start(env), ServerProcess.start(env)])));
    apis = running.map(({ url }) => new ApiClient(url));
  };
  const startGraph = async () => {
    const graph = await GraphDouble.start(new SystemClock());
    graphs.push(graph);
    return graph;
  };
  const signIn = (i: number, application: Application, provider: string, access_token: string) =>
    apis[i % 2]!.send<Begun>('POST', '/v1/sessions', {
      as: application,
      body: { provider, credential: { access_token } },
    });
  const stored = async <Row>(sql: string): Promise<Row[]> => {
    const open = await TestStores.open(kind, { database });
    const rows = await open.transactions.query<Row>(sql);
    await open.close();
    return rows;
  };

  it('D-10 two hundred first sign-ins of one person, sent to two processes, make one user and two hundred working sessions', async () => {
    const application = await createApplication(database);
    const graph = await startGraph();
    await addFacebook(database, application, 'facebook', graph, ONE_APP);
    await startTwo();
    const answers = await Promise.all(
      Array.from({ length: SIGN_INS }, (_, i) =>
        signIn(i, application, 'facebook', graph.userToken(ONE_APP.id, 'ada')),
      ),
    );
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['201']));
    const tokens = new Set(answers.map(({ body }) => body.session.token));
    expect(tokens.size).toBe(SIGN_INS);
    const [userId, ...others] = new Set(answers.map(({ body }) => body.user!.id));
    expect(others).toEqual([]);
    // Each at the process that did not begin it.
    const checks = await Promise.all(
      answers.map(({ body }, i) => apis[(i + 1) % 2]!.get<Begun>('/v1/session', body.session.token)),
    );
    expect(new Set(checks.map(({ status, body }) => `${status} ${body.session.user_id}`))).toEqual(
      new Set([`200 ${userId}`]),
    );
    expect(await stored('SELECT id FROM users')).toEqual([{ id: userId }]);
    expect(await stored('SELECT subject, user_id FROM external_identities')).toEqual([
      { subject: graph.userId(ONE_APP.id, 'ada'), user_id: userId },
    ]);
    const acts = await stored<{ act: string }>(
      `SELECT act FROM audit_entries WHERE act IN ('user.created', 'identity.linked') ORDER BY act`,
    );
    expect(acts.map(({ act }) => act)).toEqual(['identity.linked', 'user.created']);
  });

  it.each([
    ['of one application', ['first', 'second']],
    ['of two applications, by one name', ['facebook', 'facebook']],
  ] as const)(
    "A-21 two hundred mixed sign-ins over two instances of one kind, %s, never meet each other's configuration",
    async (_, slugs) => {
      const application = await createApplication(database);
      const isOne = slugs[0] !== slugs[1];
      const applications = [application, isOne ? application : await createApplication(database)];
      const graphs = [await startGraph(), await startGraph()];
      const instances = [ONE_APP, OTHER_APP].map((app, i) => ({
        application: applications[i]!,
        slug: slugs[i]!,
        graph: graphs[i]!,
        app,
      }));
      for (const { application, slug, graph, app } of instances)
        await addFacebook(database, application, slug, graph, app);
      await startTwo();
      // Every person at both instances, from both processes; every other pair with the tokens of the other instance.
      const plans = Array.from({ length: SIGN_INS }, (_, i) => {
        const [at, person, isRight] = [(i >> 1) % 2, `person-${i >> 3}`, (i >> 2) % 2 === 0];
        const of = instances[isRight ? at : 1 - at]!;
        const token = of.graph.userToken(of.app.id, person);
        return { at: instances[at]!, person, isRight, token };
      });
      const answers = await Promise.all(
        plans.map(({ at, token }, i) => signIn(i, at.application, at.slug, token)),
      );
      expect(answers.map(codeOf)).toEqual(
        plans.map(({ isRight }) => (isRight ? '201' : '401 invalid_credentials')),
      );
      const right = plans.flatMap((plan, i) => (plan.isRight ? [{ ...plan, begun: answers[i]!.body }] : []));
      expect(right).toHaveLength(SIGN_INS / 2);
      const links = await stored<LinkRow>('SELECT subject, user_id FROM external_identities');
      const userOf = new Map(links.map(({ subject, user_id }) => [subject, user_id]));
      for (const { at, person, begun } of right) {
        expect(begun.session).toMatchObject({
          application_id: at.application.id,
          provider: at.slug,
          user_id: userOf.get(at.graph.userId(at.app.id, person)),
        });
      }
      // Nobody was made of a token that was refused, and no two instances share a user.
      const people = new Set(right.map(({ at, person }) => at.graph.userId(at.app.id, person)));
      expect([links.length, new Set(userOf.values()).size]).toEqual([people.size, people.size]);
      for (const { graph, app } of instances) expect(meetingsWithOthers(graph, app, plans)).toEqual([]);
    },
  );
});

/** What one app's Graph was sent that is another app's. Tokens that people presented at the wrong place are theirs. */
function meetingsWithOthers(
  { requests }: GraphDouble,
  own: OwnApp,
  plans: readonly {
    readonly token: string;
    readonly at: { readonly app: OwnApp };
    readonly isRight: boolean;
  }[],
): string[] {
  const presentedHere = new Set(plans.flatMap(({ at, token }) => (at.app === own ? [token] : [])));
  const goodHere = new Set(
    plans.flatMap(({ at, token, isRight }) => (at.app === own && isRight ? [token] : [])),
  );
  return requests.flatMap(({ path, url, authorization }) => {
    const bearer = authorization.replace(/^Bearer /, '');
    const input = new URL(url).searchParams.get('input_token');
    const isOurs =
      path === '/debug_token'
        ? bearer === `${own.id}|${own.secret}` && presentedHere.has(input!)
        : path === '/me' && goodHere.has(bearer);
    return isOurs ? [] : [`${path} ${url} ${authorization}`];
  });
}

describeOnEachDatabase('what happens to one identity at once', (kind) => {
  let labs: Lab[] = [];
  let application: Application;

  beforeEach(async () => {
    const first = await Lab.start(kind);
    labs = [first, await Lab.start(kind, { database: first.app.database })];
    application = await first.app.createApplication();
  });
  afterEach(async () => {
    for (const lab of labs.reverse()) await lab.stop();
  });
  const at = (i: number) => labs[i % 2]!;
  const stored = async <Row>(sql: string): Promise<Row[]> => {
    const open = await TestStores.open(kind, { database: labs[0]!.app.database });
    const rows = await open.transactions.query<Row>(sql);
    await open.close();
    return rows;
  };
  const linksOf = async () => {
    const links = await stored<LinkRow>('SELECT subject, user_id FROM external_identities');
    return new Map(links.map(({ subject, user_id }) => [subject, user_id]));
  };
  /** Everybody who is linked is there. */
  const expectNoOrphans = async () => {
    const orphans = await stored(
      'SELECT subject FROM external_identities WHERE user_id NOT IN (SELECT id FROM users)',
    );
    expect(orphans).toEqual([]);
  };

  it('a first sign-in and a sign-up by one e-mail address make one holder of it, who verified it', async () => {
    await at(0).addProvider(application, { policies: { trusted_for_email: true } });
    const people = Array.from({ length: 24 }, (_, i) => `person-${i}`);
    const emailOf = (person: string) => `${person}@example.com`;
    const signUps = people.map((person, i) =>
      at(i).api.send('POST', '/v1/users', {
        as: application,
        body: { login: person, email: emailOf(person), password: PASSWORD },
      }),
    );
    // Passwords are hashed in turn: when one sign-up is answered, the next one is about to be stored.
    const signIns = people.map(async (person, i) => {
      await signUps[i - 1];
      const claims = { sub: person, email: emailOf(person), email_verified: true };
      return Promise.all([0, 1, 2, 3].map((n) => at(i + n).begin(application, claims)));
    });
    const outcomes = (await Promise.all(signUps)).map(codeOf);
    for (const outcome of outcomes) expect(['201', '409 identifier_taken']).toContain(outcome);
    const begun = await Promise.all(signIns);
    const links = await linksOf();
    for (const [i, answers] of begun.entries()) {
      expect(answers.map(codeOf)).toEqual(['201', '201', '201', '201']);
      const ids = new Set(answers.map(({ body }) => body.user!.id));
      expect(ids).toEqual(new Set([links.get(people[i]!)]));
    }
    const holders = await stored<{ id: number; email_key: string; verified: boolean | number }>(
      'SELECT id, email_key, email_verified AS verified FROM users WHERE email_key IS NOT NULL',
    );
    expect(new Map(holders.map(({ id, email_key }) => [email_key, id]))).toEqual(
      new Map(people.map((person) => [emailOf(person), links.get(person)])),
    );
    expect(holders.every(({ verified }) => Boolean(verified))).toBe(true);
    const [users] = await stored<{ count: number }>('SELECT count(*) AS count FROM users');
    const signedUp = outcomes.filter((outcome) => outcome === '201').length;
    expect(Number(users!.count)).toBe(people.length + signedUp);
  });

  it('linked to two users at once becomes the way in of exactly one, whom a sign-in of that moment finds', async () => {
    await at(0).addProvider(application);
    const [ada, bob] = [
      await at(0).api.user(application, 'ada'),
      await at(0).api.user(application, 'bob'),
    ] as const;
    for (let round = 0; round < 12; round += 1) {
      const claims = { sub: `identity-${round}` };
      const links: Promise<Answer<LinkAnswer>>[] = [ada, bob].map(({ session }, i) =>
        at(round + i).link(session.token, claims),
      );
      // In half of the rounds somebody comes in with it, who may be neither of them.
      const comer = round % 2 === 0 ? null : at(round).begin(application, claims);
      const answers = await Promise.all(links);
      const winners = [ada, bob].filter((_, i) => answers[i]!.status === 201).map(({ user }) => user!.id);
      const refusals = answers.filter(({ status }) => status !== 201).map(codeOf);
      expect(new Set(refusals)).toEqual(new Set(['409 identity_already_linked']));
      const owner = (await linksOf()).get(claims.sub);
      const begun = comer && (await comer).body;
      expect(winners).toEqual(begun && winners.length === 0 ? [] : [owner]);
      if (begun) expect(begun.user!.id).toBe(owner);
      expect((await at(round).signedIn(application, claims)).user.id).toBe(owner);
    }
    await expectNoOrphans();
  });

  it('unlinked while people sign in with it leads to its user or to one new user, never to nobody and never to two', async () => {
    await at(0).addProvider(application);
    for (let round = 0; round < 12; round += 1) {
      const claims = { sub: `identity-${round}` };
      const { session, user } = await at(0).api.user(application, `user-${round}`);
      const { identity } = (await at(0).link(session.token, claims)).body;
      const [unlinked, ...answers] = await Promise.all([
        at(round).api.send('DELETE', `/v1/users/me/identities/${identity.id}`, { as: session.token }),
        ...[0, 1, 2, 3].map((n) => at(n).begin(application, claims)),
      ]);
      expect([unlinked.status, ...answers.map(codeOf)]).toEqual([204, '201', '201', '201', '201']);
      const owner = (await at(round).signedIn(application, claims)).user.id;
      expect(owner).not.toBe(user!.id);
      const ids = new Set(answers.map(({ body }) => body.user!.id));
      expect([...ids].filter((id) => id !== owner && id !== user!.id)).toEqual([]);
    }
    const [users] = await stored<{ count: number }>('SELECT count(*) AS count FROM users');
    expect(Number(users!.count)).toBe(24);
    await expectNoOrphans();
  });
});

describe('an identity that is unlinked while a sign-in waits for its user', () => {
  let lab: Lab;
  let other: TestStores;

  beforeEach(async () => {
    lab = await Lab.start('postgres');
    other = await TestStores.open('postgres', { database: lab.app.database });
  });
  afterEach(async () => {
    await other.close();
    await lab.stop();
  });

  it('is not their way in any more', async () => {
    const application = await lab.app.createApplication();
    await lab.addProvider(application);
    const { session, user } = await lab.api.user(application, 'ada');
    const { identity } = (await lab.link(session.token, { sub: 'mallory' })).body;
    const ask = <Row>(sql: string, parameters = {}) => other.transactions.query<Row>(sql, parameters);
    const waiting = `SELECT count(*) AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    let signedIn: Promise<Answer<Begun>> | undefined;
    await other.transactions.run(async () => {
      await ask('SELECT 1 FROM users WHERE id = :id FOR UPDATE', { id: user!.id });
      signedIn = lab.begin(application, { sub: 'mallory' });
      while (Number((await ask<{ count: number }>(waiting))[0]!.count) === 0);
      await ask('DELETE FROM external_identities WHERE id = :id', { id: identity.id });
    });
    expect((await signedIn!).body.user!.id).not.toBe(user!.id);
  });
});
