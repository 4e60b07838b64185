import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ProviderCalls } from '../../src/identity-providers/provider-calls.js';
import { GraphDouble } from '../support/facebook/graph-double.js';
import { Lab, LAB_KEY } from '../support/lab/lab.js';
import { selfSigned } from '../support/tls/certificates.js';
import { tlsServer } from '../support/tls/tls-server.js';

const APP = '1234567890123456';
const SECRET = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
const MIB = 1024 * 1024;
const BOMB = gzipSync(Buffer.alloc(100 * MIB));
const JSON_TYPE = { 'content-type': 'application/json' };

/** The breaker goes by the time of day; all else goes on as it does. */
const holdTheDate = () =>
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });

interface Fault {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

describe('a definition that leads the server somewhere', () => {
  let lab: Lab;
  let path: string;
  let owner: string;

  beforeAll(async () => {
    lab = await Lab.start('sqlite', { env: { OUTBOUND_ALLOW: '10.1.0.0/16,partner.internal' } });
    owner = await lab.app.createAdminKey('owner');
    path = `/admin/v1/applications/${(await lab.app.createApplication()).id}/providers`;
  });
  afterAll(() => lab.stop());

  let count = 0;
  const create = (...dials: string[]) =>
    lab.api.send<{ errors: Fault[]; warnings: string[]; slug: string }>('POST', path, {
      as: owner,
      body: { kind: 'lab', slug: `p${(count += 1)}`, options: { key: LAB_KEY, dials } },
    });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://localhost/',
    'http://localhost./',
    'http://x.localhost/',
    'http://[::1]/',
    'http://0/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://017700000001/',
    'http://[::ffff:10.0.0.1]/',
    'http://[::ffff:a00:1]/',
    'http://[fd00::1]/',
    'http://0.0.0.0/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[2002:0a00:0001::]/',
    'http://１２７.0.0.1/',
    'https://10.0.0.1.nip.io/',
    'https://A9FEA9FE.NIP.IO./',
    'https://two.example/',
  ])('C-01 is refused when it is saved: %s', async (url) => {
    lab.app.names
      .set('10.0.0.1.nip.io', ['10.0.0.1'])
      .set('a9fea9fe.nip.io', ['169.254.169.254'])
      .set('two.example', ['8.8.8.8', '192.168.0.1']);
    const answer = await create('https://8.8.8.8/', url);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([
      {
        pointer: '/options/dials/1',
        code: 'address_refused',
        detail: expect.stringContaining('OUTBOUND_ALLOW'),
      },
    ]);
    expect((await lab.api.get(`${path}/p${count}`, owner)).status).toBe(404);
  });

  it.each([
    ['ftp://partner.example/', 'must be an http or https URL'],
    ['file:///etc/passwd', 'must be an http or https URL'],
    ['gopher://partner.example:70/', 'must be an http or https URL'],
    ['data:text/plain,x', 'must be an http or https URL'],
    ['https://user:hunter2@partner.example/', 'must have no user name and no password'],
    ['http://partner.example:22/', 'has a port'],
    ['http://8.8.8.8:25/', 'has a port'],
    ['http://partner.example:6379/', 'has a port'],
  ])('C-04 is refused when it is saved: %s', async (url, detail) => {
    const answer = await create(url);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer: '/options/dials/0', code: 'address_refused' }]);
    expect(answer.body.errors[0]!.detail).toContain(detail);
    expect(answer.text).not.toContain('hunter2');
    // Nobody is asked about a name that is refused anyway.
    expect(lab.app.names.asked).not.toContain('partner.example');
  });

  it('is saved where it is public or the operator lists it', async () => {
    lab.app.names.set('public.example', ['8.8.8.8', '2606:4700::1']).set('partner.internal', ['192.168.1.1']);
    const answer = await create(
      'https://public.example/',
      'https://10.1.2.3/',
      'http://10.1.2.3:5432/',
      'https://partner.internal:6379/',
    );
    expect([answer.status, answer.body.warnings]).toEqual([201, []]);
  });

  it.each(['unknown.example', 'silent.example'])(
    'is saved, with a warning, where nobody knows at present where it leads: %s',
    async (host) => {
      lab.app.names.stall('silent.example');
      const answer = await create(`https://${host}/verify`);
      expect(answer.status).toBe(201);
      expect(answer.body.warnings).toEqual([expect.stringContaining(`${host} cannot be resolved`)]);
      const shown = await lab.api.get<{ warnings: string[] }>(`${path}/${answer.body.slug}`, owner);
      expect(shown.body.warnings).toEqual([]);
    },
  );

  it('C-02 is refused when it is dialled, where its name has been made to lead elsewhere by then', async () => {
    const inside = await tlsServer(selfSigned({ name: 'inside', hosts: ['rebound.example'] }));
    const application = await lab.app.createApplication();
    lab.app.names.set('rebound.example', ['8.8.8.8'], ['127.0.0.1']);
    const graph_url = `https://rebound.example:${inside.port}`;
    await lab.addProvider(application, {
      kind: 'facebook',
      slug: 'facebook',
      options: { apps: { [APP]: { app_secret: SECRET } }, graph_url },
    });
    const answer = await lab.api.send('POST', '/v1/sessions', {
      as: application,
      body: { provider: 'facebook', credential: { access_token: 'EAA'.padEnd(200, 'x') } },
    });
    expect(answer.status).toBe(503);
    expect(lab.app.names.asked.filter((name) => name === 'rebound.example')).toHaveLength(2);
    expect(inside.connections()).toBe(0);
    await inside.close();
  });

  it('C-01 is refused when it takes the place of another one', async () => {
    const { slug } = (await create('https://8.8.8.8/')).body;
    const at = `${path}/${slug}`;
    const answer = await lab.api.send<{ errors: Fault[] }>('PUT', at, {
      as: owner,
      body: { options: { dials: ['http://127.0.0.1:8080/'] } },
    });
    expect([answer.status, answer.body.errors[0]!.code]).toEqual([422, 'address_refused']);
    const { body } = await lab.api.get<{ version: number; options: object }>(at, owner);
    expect(body).toMatchObject({ version: 1, options: { dials: ['https://8.8.8.8/'] } });
  });
});

describe('a sign-in at a partner', () => {
  let lab: Lab;
  let graph: GraphDouble;
  let application: Application;
  let partner: Server;
  let respond: (response: ServerResponse) => void;
  let asked: number;

  beforeAll(async () => {
    lab = await Lab.start('sqlite', {
      env: {
        OUTBOUND_ALLOW: '127.0.0.1',
        OSTIARY_OUTBOUND__TOTAL_MILLISECONDS: '300',
        OSTIARY_IDENTITY_PROVIDERS__BREAK_AFTER_FAILURES: '5',
        OSTIARY_IDENTITY_PROVIDERS__BREAK_SECONDS: '10',
        OSTIARY_IDENTITY_PROVIDERS__CALLS_AT_ONCE: '4',
        OSTIARY_IDENTITY_PROVIDERS__CALLS_WAITING: '4',
        OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '100000',
      },
    });
    graph = await GraphDouble.start(lab.app.clock);
    graph.addApp(APP, SECRET);
    partner = createServer((_, response) => {
      asked += 1;
      respond(response);
    }).listen(0, '127.0.0.1');
    await once(partner, 'listening');
  });
  afterAll(async () => {
    await lab.stop();
    await graph.close();
    partner.closeAllConnections();
    partner.close();
  });
  beforeEach(async () => {
    asked = 0;
    application = await lab.app.createApplication();
    await add('partner', `http://127.0.0.1:${(partner.address() as AddressInfo).port}`);
    await add('well', graph.url);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const add = (slug: string, url: string, to = application) =>
    lab.addProvider(to, {
      kind: 'facebook',
      slug,
      options: { apps: { [APP]: { app_secret: SECRET } }, graph_url: url },
    });
  const signIn = (slug: string, as = application) =>
    lab.api.send<{ code?: string }>('POST', '/v1/sessions', {
      as,
      body: { provider: slug, credential: { access_token: graph.userToken(APP, 'ada') } },
    });
  const outcome = async (slug: string) => {
    const { status, body, headers } = await signIn(slug);
    return [status, body.code, headers.get('retry-after')];
  };
  const unavailable = [503, 'identity_provider_unavailable', '10'];
  const openBreakers = () => lab.app.app.get(ProviderCalls, { strict: false }).openBreakers;
  const hanging: ServerResponse[] = [];
  const endless = (response: ServerResponse, chunk: Buffer) => {
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  };

  it.each([
    ['is never answered', (response: ServerResponse) => void hanging.push(response)],
    ['is answered by half', (response: ServerResponse) => void response.writeHead(200).write('{')],
    [
      'is answered byte by byte',
      (response: ServerResponse) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(timer));
      },
    ],
    [
      'is answered with heads that go on',
      (response: ServerResponse) => {
        const timer = setInterval(() => response.writeProcessing(), 20);
        response.once('close', () => clearInterval(timer));
      },
    ],
  ])('C-08 ends in time when it %s, and frees its place', async (_, behaviour) => {
    respond = behaviour;
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => outcome('partner')));
    expect(outcomes).toEqual(Array(4).fill(unavailable));
    respond = (response) => void response.writeHead(500).end();
    expect(await outcome('partner')).toEqual(unavailable);
    // The last one had a place: all five were asked.
    expect(asked).toBe(5);
  });

  it.each([
    ['100 MB at once', (response: ServerResponse) => response.end(Buffer.alloc(100 * MIB, ' '))],
    ['chunks without end', (response: ServerResponse) => endless(response, Buffer.alloc(64 * 1024, ' '))],
    [
      'a bomb',
      (response: ServerResponse) => {
        response.setHeader('content-encoding', 'gzip').end(BOMB);
      },
    ],
    [
      'a head of 100 kB',
      (response: ServerResponse) => response.setHeader('x-long', 'x'.repeat(100_000)).end(),
    ],
  ])('C-09 is over after %s, and takes no more than it may', async (_, behaviour) => {
    let cut = 0;
    respond = (response) => {
      response.once('close', () => (cut += 1));
      behaviour(response);
    };
    const before = process.memoryUsage().arrayBuffers;
    expect(await outcome('partner')).toEqual(unavailable);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150 * MIB);
    expect(asked).toBe(1);
    respond = (response) => void response.writeHead(500).end();
    expect(await outcome('partner')).toEqual(unavailable);
    expect(asked).toBe(2);
    expect(cut).toBe(1);
  });

  it('C-03 goes nowhere else when the partner says so', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      respond = (response) => void response.writeHead(status, { location: graph.url }).end();
      const calls = graph.calls.length;
      expect((await signIn('partner')).status).toBe(503);
      expect(graph.calls).toHaveLength(calls);
    }
  });

  it('C-10 leaves a partner alone that fails again and again, and comes back by itself', async () => {
    holdTheDate();
    respond = (response) => void response.writeHead(500).end();
    const before = openBreakers();
    for (let i = 0; i < 8; i += 1) expect(await outcome('partner')).toEqual(unavailable);
    expect(asked).toBe(5);
    expect(openBreakers()).toBe(before + 1);
    // Neither the application's other provider nor the same partner at another application is touched.
    expect((await signIn('well')).status).toBe(201);
    const other = await lab.app.createApplication();
    await add('partner', graph.url, other);
    expect((await signIn('partner', other)).status).toBe(201);
    // Tried again with one sign-in, and still at fault.
    jest.setSystemTime(Date.now() + 10_001);
    for (let i = 0; i < 3; i += 1) expect(await outcome('partner')).toEqual(unavailable);
    expect(asked).toBe(6);
    // Well again: the first one that tries finds it so.
    respond = (response) => void response.writeHead(200, JSON_TYPE).end('{"data":{"is_valid":false}}');
    jest.setSystemTime(Date.now() + 10_001);
    for (let i = 0; i < 3; i += 1) expect((await outcome('partner'))[1]).toBe('invalid_credentials');
    expect(asked).toBe(9);
    expect(openBreakers()).toBe(before);
  });

  it('C-10 takes no more sign-ins for a partner that hangs than it has places for', async () => {
    respond = (response) => void hanging.push(response);
    const waiting = Array.from({ length: 40 }, () => outcome('partner'));
    const well = await Promise.all(Array.from({ length: 4 }, () => signIn('well')));
    expect(well.map(({ status }) => status)).toEqual(Array(4).fill(201));
    expect(await Promise.all(waiting)).toEqual(Array(40).fill(unavailable));
    // Four have places; the fifth failure opens the breaker, and by then a place may have been taken for each before.
    expect(asked).toBeLessThanOrEqual(9);
    const { text } = await lab.api.get('/metrics');
    expect(text).toMatch(
      /^ostiary_identity_provider_calls_total\{kind="facebook",outcome="no_place"\} [1-9]/m,
    );
    expect(text).toMatch(/^ostiary_identity_provider_breakers_open [1-9]/m);
  });
});
