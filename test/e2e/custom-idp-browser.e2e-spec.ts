import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { stringify } from 'yaml';
import { ApiClient, type SessionBody, type UserBody } from '../support/api-client.js';
import { launchBrowser, Visitor, type BrowserTraffic } from '../support/browser.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { DemoApp } from '../support/demo-app.js';
import { OidcPeer } from '../support/oidc-peer/oidc-peer.js';
import { freePort } from '../support/postgres-server.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';

/** A browser and several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const CLIENT = { client_id: 'the-broker', client_secret: 'the-secret-of-the-broker' };

interface Shown {
  readonly session: SessionBody;
  readonly user: UserBody;
}

describeOnEachDatabase("a sign-in in a real browser, at a partner's OpenID provider", (kind) => {
  let browser: Browser;
  let peer: OidcPeer;
  let demo: DemoApp;
  let database: TestDatabase;
  let application: { application_id: number; auth_key: string; auth_secret: string };
  let server: ServerProcess;
  let api: ApiClient;
  let page: Page;
  let traffic: BrowserTraffic;
  let visitor: Visitor | undefined;

  beforeAll(async () => {
    const port = String(await freePort());
    const PUBLIC_URL = `http://127.0.0.1:${port}`;
    browser = await launchBrowser();
    peer = await OidcPeer.start([{ ...CLIENT, redirect_uris: [`${PUBLIC_URL}/v1/sign-in/callback`] }]);
    demo = await DemoApp.start();
    database = await createDatabase(kind);
    const env = { ...database.env, OUTBOUND_ALLOW: '127.0.0.1' };
    application = await ostiaryJson(env, 'apps', 'create', '--name', 'Demo');
    const app = ['--app', String(application.application_id)];
    const pages = [`allowed_origins=${demo.origin}`, `redirect_uris=${demo.redirectUri}`];
    await ostiaryJson(env, 'apps', 'set', ...app, 'public_clients=on', ...pages);
    const file = join(database.dataDir, 'partner.yaml');
    const options = { issuer: peer.issuer, ...CLIENT, client_auth: 'post', userinfo: true };
    writeFileSync(file, stringify({ kind: 'oidc', slug: 'partner', options }));
    await ostiaryJson(env, 'providers', 'create', ...app, '--file', file);
    server = await ServerProcess.start({ ...env, PORT: port, PUBLIC_URL });
    api = new ApiClient(server.url);
    demo.use({ broker: PUBLIC_URL, ...application });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.end();
    await demo?.close();
    await peer?.stop();
    await database?.remove();
  });

  async function openBrowser(): Promise<void> {
    expect(visitor?.pageErrors ?? []).toEqual([]);
    await visitor?.leave();
    visitor = await Visitor.arrive(browser);
    ({ page, traffic } = visitor);
  }

  beforeEach(openBrowser);
  afterEach(() => {
    expect(visitor?.pageErrors).toEqual([]);
  });

  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const callbackUrl = () => traffic.urls.find((url) => url.startsWith(`${server.url}/v1/sign-in/callback?`))!;
  const token = () => page.evaluate<string>("JSON.parse(sessionStorage.getItem('session')).token");

  /** What the app says next. */
  async function message(): Promise<string> {
    const status = page.getByRole('status').filter({ hasNotText: 'Nobody is signed in.' });
    return (await status.textContent())!;
  }

  /** At the partner. The page's buttons are for providers that everybody knows; one is pressed for this one. */
  async function leave(): Promise<void> {
    await page.goto(demo.redirectUri);
    await page.getByRole('status').waitFor();
    await page.evaluate("document.querySelector('[data-provider=facebook]').dataset.provider = 'partner'");
    await press('Sign in with Facebook');
    await page.getByRole('button', { name: 'Sign-in' }).waitFor();
  }

  async function signIn(person: string): Promise<Shown> {
    await leave();
    await page.getByPlaceholder('Enter any login').fill(person);
    await page.getByPlaceholder('and password').fill('any');
    await press('Sign-in');
    await press('Continue');
    expect(await message()).toMatch(/^Signed in as user \d+ by partner/);
    return JSON.parse((await page.locator('#details').textContent())!) as Shown;
  }

  it('ends with a session of a user without a password', async () => {
    const { session, user } = await signIn('ada');
    expect(session).toMatchObject({ kind: 'user', user_id: user.id, provider: 'partner' });
    expect(user).toMatchObject({ guest: false, full_name: 'Name of ada' });
    const { status, body } = await api.get<{ session: SessionBody }>('/v1/session', await token());
    expect([status, body.session.user_id]).toEqual([200, user.id]);
  });

  it('is the same user each time, in whatever browser, and nobody else is', async () => {
    const first = await signIn('grace');
    await openBrowser();
    const second = await signIn('grace');
    await openBrowser();
    const other = await signIn('hedy');
    expect(second.user.id).toBe(first.user.id);
    expect(other.user.id).not.toBe(first.user.id);
  });

  it('goes by way of PKCE, state and nonce, each of one sign-in', async () => {
    const queries = [];
    for (const person of ['ada', 'bob']) {
      await openBrowser();
      await signIn(person);
      const away = traffic.urls.find((url) => url.startsWith(`${peer.issuer}/auth?`))!;
      queries.push(new URL(away).searchParams);
    }
    const [first, second] = queries;
    expect(first!.get('code_challenge_method')).toBe('S256');
    for (const name of ['code_challenge', 'state', 'nonce']) {
      expect(first!.get(name)).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(second!.get(name)).not.toBe(first!.get(name));
    }
  });

  it('ends at the app without a session when the person declines', async () => {
    await leave();
    await page.getByRole('link', { name: 'Cancel' }).click();
    expect(await message()).toBe('Failed: invalid_credentials');
    expect(await page.evaluate("sessionStorage.getItem('session')")).toBeNull();
  });

  it('is over when the way back is walked a second time', async () => {
    await signIn('ada');
    const response = await page.goto(callbackUrl());
    expect(response!.status()).toBe(400);
  });

  it('S-17 puts no token, no secret and no verifier into an address or a Referer', async () => {
    await signIn('ada');
    const verifiers = traffic.bodies.flatMap((body) => /"code_verifier":"([^"]+)"/.exec(body)?.[1] ?? []);
    expect(verifiers).toHaveLength(1);
    const hidden = [...verifiers, CLIENT.client_secret, application.auth_secret, await token(), 'eyJ'];
    const seen = [...traffic.urls, ...(await traffic.referrers()), ...demo.referrers];
    expect(seen.filter((text) => hidden.some((secret) => text.includes(secret)))).toEqual([]);
    // Of the partner's code the broker alone gets to know.
    const code = new URL(callbackUrl()).searchParams.get('code')!;
    const places = traffic.urls.filter((url) => url.includes(code)).map((url) => new URL(url).origin);
    expect(new Set(places)).toEqual(new Set([server.url]));
  });
});
