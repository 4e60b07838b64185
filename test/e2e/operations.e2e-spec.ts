import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { TestApp } from '../support/test-app.js';

describe('what an operator and a browser see', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await TestApp.start('sqlite');
  });
  afterAll(() => server.stop());

  describe('the description of the API', () => {
    it('is valid OpenAPI 3.1 and has every route that answers', async () => {
      const { body } = await server.api.get('/openapi.json');
      expect(body['openapi']).toBe('3.1.0');
      const result = await new Validator().validate(structuredClone(body));
      expect(result.errors).toBeUndefined();
      const paths = body['paths'] as Record<string, Record<string, unknown>>;
      const described = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      expect(described.sort()).toEqual([
        'DELETE /admin/v1/applications/{id}/providers/{slug}',
        'DELETE /v1/session',
        'DELETE /v1/session/user',
        'DELETE /v1/users/me/identities/{id}',
        'DELETE /v1/users/me/sessions',
        'DELETE /v1/users/me/sessions/{id}',
        'GET /admin/v1/applications',
        'GET /admin/v1/applications/{id}',
        'GET /admin/v1/applications/{id}/providers',
        'GET /admin/v1/applications/{id}/providers/{slug}',
        'GET /admin/v1/applications/{id}/providers/{slug}/versions',
        'GET /admin/v1/applications/{id}/providers/{slug}/versions/compare',
        'GET /admin/v1/applications/{id}/providers/{slug}/versions/{version}',
        'GET /admin/v1/applications/{id}/users/{user_id}/identities',
        'GET /admin/v1/audit',
        'GET /admin/v1/chat-clients',
        'GET /admin/v1/chat-clients/{client_id}',
        'GET /admin/v1/outbox',
        'GET /chat/turn',
        'GET /v1/session',
        'GET /v1/sign-in/callback',
        'GET /v1/users/me',
        'GET /v1/users/me/identities',
        'GET /v1/users/me/sessions',
        'PATCH /admin/v1/applications/{id}/settings',
        'PATCH /admin/v1/chat-clients/{client_id}',
        'POST /admin/v1/applications',
        'POST /admin/v1/applications/{id}/end-sessions',
        'POST /admin/v1/applications/{id}/providers',
        'POST /admin/v1/applications/{id}/providers/{slug}/disable',
        'POST /admin/v1/applications/{id}/providers/{slug}/enable',
        'POST /admin/v1/applications/{id}/providers/{slug}/rollback',
        'POST /admin/v1/applications/{id}/providers/{slug}/test',
        'POST /admin/v1/applications/{id}/rotate-secret',
        'POST /admin/v1/applications/{id}/users/{user_id}/disable',
        'POST /admin/v1/applications/{id}/users/{user_id}/enable',
        'POST /admin/v1/applications/{id}/users/{user_id}/identities/{identity_id}/disable',
        'POST /admin/v1/applications/{id}/users/{user_id}/identities/{identity_id}/enable',
        'POST /admin/v1/chat-clients',
        'POST /admin/v1/chat-clients/{client_id}/revoke',
        'POST /admin/v1/chat-clients/{client_id}/rotate-secret',
        'POST /admin/v1/outbox/retry',
        'POST /admin/v1/outbox/{message_id}/retry',
        'POST /chat/verify',
        'POST /oauth/introspect',
        'POST /oauth/revoke',
        'POST /v1/session/refresh',
        'POST /v1/sessions',
        'POST /v1/sign-in/{provider}',
        'POST /v1/sign-in/{provider}/nonces',
        'POST /v1/users',
        'POST /v1/users/me/identities',
        'PUT /admin/v1/applications/{id}/providers/{slug}',
        'PUT /v1/session/user',
        'PUT /v1/users/me/password',
      ]);
      for (const line of described) {
        const [method, path] = line.split(' ') as [string, string];
        const answer = await server.api.send(method, path.replace(/\{\w+\}/g, '1'), {});
        // Browsers come back from providers with no credentials of ours: they get a page.
        if (path === '/v1/sign-in/callback') {
          expect([line, answer.status]).toEqual([line, 400]);
          continue;
        }
        // Chat servers and OAuth clients are refused in the words of their own protocols.
        if (/^\/(chat|oauth)\//.test(path)) {
          expect([line, answer.status]).toEqual([line, 401]);
          continue;
        }
        // A refresh token is the credential of the one route that asks for none beside it.
        const code = path === '/v1/session/refresh' ? 'validation_failed' : 'authentication_required';
        expect([line, answer.body['code']]).toEqual([line, code]);
      }
    });

    it('describes bodies by the schemas that parse them', async () => {
      const { body } = await server.api.get('/openapi.json');
      const text = JSON.stringify(body);
      for (const field of ['"old_password"', '"public_clients"', '"next_cursor"', 'provider \\"guest\\"']) {
        expect([field, text.includes(field)]).toEqual([field, true]);
      }
    });

    it('says which role of an admin key a route needs, to machines and to people', async () => {
      const { body, text } = await server.api.get<{
        paths: Record<string, Record<string, { security: unknown }>>;
      }>('/openapi.json');
      const { security } = body.paths['/admin/v1/applications/{id}/rotate-secret']!['post']!;
      expect(security).toEqual([{ admin: ['owner'] }]);
      expect(text).toContain('"admin":{"type":"http","scheme":"bearer"');
      expect((await server.api.get('/docs')).text).toContain('an admin key (Bearer) with the role operator');
    });

    it('reads as a page that needs no script and nothing from elsewhere', async () => {
      const page = await server.api.get('/docs');
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(page.text).toContain('/v1/users/me/password');
      expect(page.text).not.toMatch(/<script|https?:\/\/(?!127)/);
    });
  });

  describe('probes and metrics', () => {
    it('says that it lives and that it is ready', async () => {
      expect((await server.api.get('/health/live')).body).toEqual({ status: 'live' });
      expect((await server.api.get('/health/ready')).body).toEqual({ status: 'ready' });
    });

    it('counts what happens, with words and never with ids or paths as sent', async () => {
      const application = await server.createApplication();
      const { token } = (await server.api.user(application, 'metric')).session;
      await server.api.send('DELETE', '/v1/session', { as: token });
      await server.api.get('/v1/session', token);
      await server.api.get(`/nothing/${token}`);
      const { text } = await server.api.get('/metrics');
      expect(text).toMatch(/ostiary_sessions_begun_total\{kind="user",provider="password"\} 1/);
      expect(text).toMatch(/ostiary_sessions_ended_total\{reason="ended"\} 1/);
      expect(text).toMatch(/ostiary_users_created_total\{guest="false"\} 1/);
      expect(text).toMatch(/ostiary_session_tokens_refused_total\{reason="revoked"\} 1/);
      expect(text).toContain('route="unmatched"');
      expect(text).not.toContain('osta_');
    });

    it('moves to a port of its own where one is configured', async () => {
      const apart = await TestApp.start('sqlite', { env: { OSTIARY_MANAGEMENT__PORT: '0' } });
      const { ManagementServer } = await import('../../src/observability/management-server.js');
      const url = await apart.app.get(ManagementServer).start();
      expect((await apart.api.get('/metrics')).status).toBe(404);
      expect((await apart.api.get('/health/ready')).status).toBe(404);
      const statuses = await Promise.all(
        ['/health/live', '/health/ready', '/metrics', '/nothing'].map(
          async (path) => (await fetch(url! + path)).status,
        ),
      );
      expect(statuses).toEqual([200, 200, 200, 404]);
      await apart.stop();
    });
  });

  describe('CORS', () => {
    const PAGE = 'https://app.example';
    const preflight = (origin: string) =>
      server.api.send('OPTIONS', '/v1/session', {
        headers: {
          origin,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'authorization',
        },
      });

    it('lets a page of an allowed origin ask and read, its errors too', async () => {
      const application = await server.createApplication({ allowed_origins: [PAGE] });
      server.clock.advance({ seconds: 2 });
      const answer = await preflight(PAGE);
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
      const { token } = await server.api.applicationSession(application);
      const shown = await server.api.get('/v1/session', token, { origin: PAGE });
      expect([shown.status, shown.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
      expect(shown.headers.get('vary')).toContain('Origin');
      const refused = await server.api.get('/v1/session', 'osta_unknown', { origin: PAGE });
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, PAGE]);
    });

    it('allows no other origin, and answers its preflight with nothing', async () => {
      const answer = await preflight('https://evil.example');
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, null]);
    });

    it('holds the request to the list of its own application', async () => {
      await server.createApplication({ allowed_origins: [PAGE] });
      const other = await server.createApplication();
      const { token } = await server.api.applicationSession(other);
      for (const [method, path, as] of [
        ['GET', '/v1/session', token],
        ['POST', '/v1/sessions', other],
        ['POST', '/v1/users', token],
      ] as const) {
        const answer = await server.api.send(method, path, { as, headers: { origin: PAGE } });
        expect([path, answer.status, answer.body['code']]).toEqual([path, 403, 'origin_not_allowed']);
      }
    });

    it('leaves apps and servers, which send no origin, alone', async () => {
      const application = await server.createApplication();
      const { headers } = await server.api.send('POST', '/v1/sessions', { as: application });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    });
  });
});
