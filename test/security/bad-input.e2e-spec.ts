import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { errorCatalog, type ErrorCode } from '../../src/errors/error-catalog.js';
import { SessionService, type Who } from '../../src/session/session.service.js';
import { authorization } from '../support/api-client.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { describedRoutes, type DescribedRoute } from '../support/described-routes.js';
import { exchange, sendRaw, type RawAnswer, type RawRequest } from '../support/raw-http.js';
import { TestApp } from '../support/test-app.js';
import {
  fittingSomewhere,
  foreignBodies,
  malformedBodies,
  MARKER,
  oddAuthorizations,
  oddities,
  type Rubbish,
  unfittingBodies,
} from './rubbish.js';

const callers = [
  'nobody',
  'a server',
  'an application session',
  'a user session',
  'an admin viewer',
  'an admin owner',
] as const;
type Caller = (typeof callers)[number];

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT'];
const PROBLEM_MEMBERS = ['type', 'title', 'status', 'code', 'request_id', 'next', 'errors'];

/** Nothing of how the product is built: stacks, files, statements, drivers. */
const INSIDES = /\n\s+at |node_modules|\.[jt]s:\d|SELECT |INSERT |SQLITE|Error\b|postgres|fastify/;

describeOnEachDatabase('rubbish', (kind) => {
  let server: TestApp;
  let application: Application;
  let adminKeys: { viewer: string; owner: string };
  let routes: DescribedRoute[];
  let loggedBefore: number;

  beforeAll(async () => {
    server = await TestApp.start(kind, { env: { OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '1000000' } });
    application = await server.createApplication();
    adminKeys = {
      viewer: await server.createAdminKey('viewer'),
      owner: await server.createAdminKey('owner'),
    };
    // Routes that speak another protocol have rubbish of their own, in chat.
    routes = (await describedRoutes(server.api)).filter(({ answersProblems }) => answersProblems);
  });
  afterAll(() => server.stop());

  beforeEach(() => {
    loggedBefore = server.log.length;
  });
  afterEach(async () => {
    const { status } = await sendRaw(server.url, await requestTo('GET', '/v1/session', 'a user session'));
    expect(status).toBe(200);
    const log = server.log.slice(loggedBefore);
    expect(log).not.toContain(MARKER);
    expect(log.split('\n').filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  async function begin(who: Who): Promise<string> {
    const sessions = server.app.get(SessionService, { strict: false });
    return `Bearer ${(await sessions.begin({ application, who })).token}`;
  }

  async function authorizationOf(caller: Caller): Promise<string | undefined> {
    switch (caller) {
      case 'nobody':
        return undefined;
      case 'a server':
        return authorization(application);
      case 'an application session':
        return begin({ as: 'application' });
      case 'a user session':
        return begin({ as: 'guest', profile: {} });
      case 'an admin viewer':
        return `Bearer ${adminKeys.viewer}`;
      case 'an admin owner':
        return `Bearer ${adminKeys.owner}`;
    }
  }

  async function requestTo(
    method: string,
    path: string,
    caller: Caller,
    { headers = [], body, suffix = '', parameter = '1' }: Rubbish = {},
  ): Promise<RawRequest> {
    const authorization = await authorizationOf(caller);
    return {
      method,
      target: path.replace(/\{\w+\}/g, parameter) + suffix,
      headers: [
        ...headers,
        ...(authorization === undefined ? [] : [['Authorization', authorization] as const]),
      ],
      ...(body !== undefined && { body }),
    };
  }

  /** Sends the rubbish to every route as every caller. @returns what is wrong with the answers. */
  async function faultsOfAll(
    rubbishFor: (route: DescribedRoute) => Rubbish,
    isExpected: (status: number, route: DescribedRoute) => boolean = () => true,
  ): Promise<string[]> {
    const faults = await Promise.all(
      routes.flatMap((route) =>
        callers.map(async (caller) => {
          const request = await requestTo(route.method, route.path, caller, rubbishFor(route));
          const answer = await sendRaw(server.url, request);
          const isNothing = route.path.startsWith('/chat/') && answer.status === 404 && answer.body === '';
          // Below /chat, whatever is no route is an empty 404.
          const found = isNothing ? [] : faultsOf(answer, route);
          if (route.members && !isExpected(answer.status, route)) found.push('another status than expected');
          return found.map((fault) => `${route.method} ${route.path} as ${caller}: ${fault}: ${answer.text}`);
        }),
      ),
    );
    return faults.flat();
  }

  const toFunction = (rubbish: Rubbish | ((route: DescribedRoute) => Rubbish)) =>
    typeof rubbish === 'function' ? rubbish : () => rubbish;

  it('has routes to be sent to, with and without bodies and parameters', () => {
    expect(routes.length).toBeGreaterThan(8);
    expect(routes.filter(({ path }) => path.startsWith('/admin/')).length).toBeGreaterThan(8);
    expect(routes.filter(({ members }) => members !== null).length).toBeGreaterThan(3);
    expect(routes.some(({ path }) => path.includes('{'))).toBe(true);
  });

  describe('is answered soundly by every route, whoever sends it:', () => {
    it.each(Object.entries(malformedBodies))('%s', async (_, rubbish) => {
      expect(await faultsOfAll(toFunction(rubbish), (status) => status === 400)).toEqual([]);
    });

    it.each(Object.entries(foreignBodies))('%s', async (_, rubbish) => {
      expect(await faultsOfAll(toFunction(rubbish), (status) => status === 415)).toEqual([]);
    });

    it.each(Object.entries(unfittingBodies))('%s', async (name, rubbish) => {
      const isRefusal = (status: number) => [401, 403, 422].includes(status);
      const fits = ({ method, path }: DescribedRoute) => fittingSomewhere[name] === `${method} ${path}`;
      expect(
        await faultsOfAll(toFunction(rubbish), (status, route) => isRefusal(status) || fits(route)),
      ).toEqual([]);
    });

    it.each(Object.entries(oddities))('%s', async (_, rubbish) => {
      expect(await faultsOfAll(toFunction(rubbish))).toEqual([]);
    });

    it('a body of 300 kB', async () => {
      // A server that refuses by the length alone hangs up on the rest, which may reach the client before the answer.
      const headers = [
        ['Content-Type', 'application/json'],
        ['Content-Length', '300000'],
      ] as const;
      const begun = { headers, body: `{"login":"${MARKER}` };
      expect(
        await faultsOfAll(
          () => begun,
          (status) => status === 413,
        ),
      ).toEqual([]);
    });

    it('a body of 300 kB that does not say how long it is', async () => {
      const headers = [
        ['Content-Type', 'application/json'],
        ['Transfer-Encoding', 'chunked'],
      ] as const;
      const chunk = `{"login":"${MARKER.padEnd(262_144, 'x')}`;
      const endless = { headers, body: `${chunk.length.toString(16)}\r\n${chunk}` };
      expect(
        await faultsOfAll(
          () => endless,
          (status) => status === 413,
        ),
      ).toEqual([]);
    });
  });

  describe('in the Authorization header is let in nowhere:', () => {
    it.each(Object.entries(oddAuthorizations))('%s', async (_, value) => {
      const headers = value === undefined ? [] : ([['Authorization', value]] as const);
      const faults = await Promise.all(
        routes.map(async (route) => {
          const { method, path, isGuarded } = route;
          const answer = await sendRaw(server.url, await requestTo(method, path, 'nobody', { headers }));
          const found = faultsOf(answer, route);
          // Where the body is the credential, there is none here, and what is in the header does not make up for it.
          const isRefused = isGuarded ? answer.status === 401 : answer.status >= 400;
          if (!isRefused) found.push('not refused');
          return found.map((fault) => `${method} ${path}: ${fault}: ${answer.text}`);
        }),
      );
      expect(faults.flat()).toEqual([]);
    });
  });

  it.each(METHODS)('is what %s is on a path that does not have it', async (method) => {
    // Below /chat, whatever is no route is an empty 404: see chat.
    const paths = new Set(routes.map(({ path }) => path).filter((path) => !path.startsWith('/chat/')));
    // A path may also be what another route has a parameter for.
    const without = [...paths].filter(
      (path) => !routes.some((route) => route.method === method && isAlso(path, route)),
    );
    const pages = routes.filter(({ isPage }) => isPage).map(({ path }) => path);
    const faults: string[] = [];
    for (const path of [...without, '/', '/v1', `/${MARKER}`, `/v1/${MARKER}`]) {
      const answer = await sendRaw(server.url, await requestTo(method, path, 'a user session'));
      const found = faultsOf(answer, { method, isPage: method === 'HEAD' && pages.includes(path) });
      // HEAD is there wherever GET is.
      if (method !== 'HEAD' && answer.status !== 404) found.push('another status than 404');
      faults.push(...found.map((fault) => `${method} ${path}: ${fault}: ${answer.text}`));
    }
    expect(faults).toEqual([]);
  });

  it.each([
    ['a body that breaks off', 'Content-Length: 5\r\n\r\n{'],
    ['a chunk that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n'],
  ])('is not taken for a fault of the database: %s', async (_, rest) => {
    const head = 'POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const answer = await exchange(server.url, head + rest, { hangUp: true });
    expect(faultsOf(answer)).toEqual([]);
    expect(answer.status).toBe(400);
  });
});

describe('bytes that are no HTTP', () => {
  let server: TestApp;

  beforeAll(async () => {
    server = await TestApp.start('sqlite');
  });
  afterAll(() => server.stop());

  const rest = 'Host: x\r\nConnection: close\r\n\r\n';

  it.each<[string, string | Buffer, ErrorCode]>([
    ['a method that is none', `FOO /v1/session HTTP/1.1\r\n${rest}`, 'malformed_request'],
    ['a method of rubbish', `${MARKER} /v1/session HTTP/1.1\r\n${rest}`, 'malformed_request'],
    ['garbage', `${MARKER}\r\n\r\n`, 'malformed_request'],
    ['a TLS handshake', Buffer.from('1603010200010001fc0303', 'hex'), 'malformed_request'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'malformed_request'],
    ['a version that is none', `GET /${MARKER} HTTP/9.9\r\n${rest}`, 'malformed_request'],
    ['no host', `GET /v1/session?${MARKER} HTTP/1.1\r\nConnection: close\r\n\r\n`, 'malformed_request'],
    ['a path without a slash', `GET ${MARKER} HTTP/1.1\r\n${rest}`, 'malformed_request'],
    [
      'raw bytes in the path',
      Buffer.from(`GET /\xff${MARKER} HTTP/1.1\r\n${rest}`, 'latin1'),
      'malformed_request',
    ],
    ['NUL in a header', `GET / HTTP/1.1\r\nX: ${MARKER}\0\r\n${rest}`, 'malformed_request'],
    ['a header without a colon', `GET / HTTP/1.1\r\n${MARKER}\r\n${rest}`, 'malformed_request'],
    ['a length below zero', `POST / HTTP/1.1\r\nContent-Length: -1\r\n${rest}`, 'malformed_request'],
    [
      'two lengths',
      `POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${rest}`,
      'malformed_request',
    ],
    [
      'a length beside chunks',
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n${rest}0\r\n\r\n`,
      'malformed_request',
    ],
    [
      'headers of 20 000 characters',
      `GET / HTTP/1.1\r\nX: ${MARKER.padEnd(20_000, 'x')}\r\n${rest}`,
      'headers_too_large',
    ],
    [
      'three thousand headers',
      `GET / HTTP/1.1\r\n${`X: ${MARKER}\r\n`.repeat(3000)}${rest}`,
      'headers_too_large',
    ],
    [
      'a path of 30 000 characters',
      `GET /${MARKER.padEnd(30_000, 'x')} HTTP/1.1\r\n${rest}`,
      'headers_too_large',
    ],
  ])('are answered in the words of every other refusal: %s', async (_, bytes, code) => {
    const answer = await exchange(server.url, bytes);
    expect(faultsOf(answer)).toEqual([]);
    expect(JSON.parse(answer.body)).toMatchObject({ code });
    expect(server.log).not.toContain(MARKER);
    expect((await server.api.get('/health/live')).status).toBe(200);
  });
});

/** What is wrong with an answer to rubbish, whatever the rubbish was. */
/** Whether a path is one of those that a route answers. */
function isAlso(path: string, route: DescribedRoute): boolean {
  return new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

function faultsOf(
  { status, headers, body, text }: RawAnswer,
  { method, isPage }: Pick<DescribedRoute, 'method' | 'isPage'> = { method: 'GET', isPage: false },
): string[] {
  const faults: string[] = [];
  if (text.includes(MARKER)) faults.push('repeats what was sent');
  if (!(status >= 200 && status < 500)) faults.push('has a status that rubbish is not answered with');
  if (status < 400) return faults;
  if (INSIDES.test(body)) faults.push('shows how the product is built');
  if (isPage && headers.get('content-type')?.startsWith('text/html')) {
    if (!headers.get('content-security-policy')) faults.push('is a page without a policy');
    return faults;
  }
  if (!headers.get('content-type')?.startsWith('application/problem+json')) faults.push('is no problem+json');
  if (method === 'HEAD') return faults;
  const problem = parseProblem(body);
  const entry = errorCatalog[problem['code'] as ErrorCode] as { status: number } | undefined;
  if (entry?.status !== status || problem['status'] !== status) faults.push('has no code of that status');
  if (typeof problem['request_id'] !== 'string' || problem['request_id'] === '')
    faults.push('has no request_id');
  const extra = Object.keys(problem).filter((member) => !PROBLEM_MEMBERS.includes(member));
  if (extra.length > 0) faults.push(`has ${extra.join()}`);
  return faults;
}

function parseProblem(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}
