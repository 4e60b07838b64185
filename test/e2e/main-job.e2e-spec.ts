import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD, type Begun } from '../support/api-client.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

describeOnEachDatabase('the main job', (kind) => {
  let server: TestApp;
  let application: Application;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    application = await server.createApplication();
  });
  afterAll(() => server.stop());

  it('goes from an application session through sign-up, sign-in, calls and sign-out to the end', async () => {
    const { api } = server;
    const { token } = await api.applicationSession(application);
    const body = { login: 'alice', password: PASSWORD };
    expect((await api.send('POST', '/v1/users', { as: token, body })).status).toBe(201);

    const signedIn = await api.send<Begun>('PUT', '/v1/session/user', {
      as: token,
      body: { provider: 'password', credential: { login: 'alice', password: PASSWORD } },
    });
    expect(signedIn.body.user).toMatchObject({ login: 'alice', guest: false });
    const userToken = signedIn.body.session.token;
    expect((await api.get('/v1/session', token)).body).toMatchObject({ code: 'session_ended' });
    expect((await api.get('/v1/users/me', userToken)).body).toMatchObject({ user: { login: 'alice' } });

    const signedOut = await api.send<Begun>('DELETE', '/v1/session/user', { as: userToken });
    expect(signedOut.body.session).toMatchObject({ kind: 'application', user_id: null });
    const lastToken = signedOut.body.session.token;
    expect((await api.send('DELETE', '/v1/session', { as: lastToken })).status).toBe(204);
    expect((await api.get('/v1/session', lastToken)).status).toBe(401);
  });

  it('slides a session with each use and lets it expire without', async () => {
    const { api, clock } = server;
    const { token } = await api.applicationSession(application);
    for (let i = 0; i < 5; i += 1) {
      clock.advance({ hours: 1, minutes: 59 });
      expect((await api.get('/v1/session', token)).status).toBe(200);
    }
    clock.advance({ hours: 2, minutes: 2 });
    expect((await api.get('/v1/session', token)).body).toMatchObject({ code: 'session_ended' });
  });
});
