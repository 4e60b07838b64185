import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { stringify } from 'yaml';
import { SystemClock } from '../../src/time/clock.js';
import { ApiClient, type SessionBody, type UserBody } from '../support/api-client.js';
import { launchBrowser, Visitor, type BrowserTraffic } from '../support/browser.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { DemoApp } from '../support/demo-app.js';
import { GraphDouble } from '../support/facebook/graph-double.js';
import { freePort } from '../support/postgres-server.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';
import { TestStores } from '../support/test-stores.js';
import { XDouble } from '../support/twitter/x-double.js';

/** A browser and several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const FACEBOOK_APP = '1234567890123456';
const FACEBOOK_SECRET = 'd4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4';
const X_CONSUMER = { key: 'anXConsumerKey', secret: 'anXConsumerSecret' };

interface CreatedApplication {
  readonly application_id: number;
  readonly auth_key: string;
  readonly auth_secret: string;
}

describeOnEachDatabase('a sign-in in a real browser', (kind) => {
  let browser: Browser;
  let graph: GraphDouble;
  let x: XDouble;
  let demo: DemoApp;
  let database: TestDatabase;
  let application: CreatedApplication;
  let server: ServerProcess;
  let api: ApiClient;
  let page: Page;
  let traffic: BrowserTraffic;
  let visitor: Visitor | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
    graph = await GraphDouble.start(new SystemClock());
    graph.addApp(FACEBOOK_APP, FACEBOOK_SECRET);
    x = await XDouble.start();
    demo = await DemoApp.start();
    database = await createDatabase(kind);

    application = await ostiaryJson<CreatedApplication>(database.env, 'apps', 'create', '--name', 'Demo');
    const app = ['--app', String(application.application_id)];
    const settings = [
      'public_clients=on',
      `allowed_origins=${demo.origin}`,
      `redirect_uris=${demo.redirectUri}`,
    ];
    await ostiaryJson(database.env, 'apps', 'set', ...app, ...settings);
    const options = {
      facebook: {
        // A key that YAML reads as a number, as people write it.
        apps: new Map([[Number(FACEBOOK_APP), { app_secret: FACEBOOK_SECRET }]]),
        graph_url: graph.url,
        dialog_url: graph.url,
      },
      twitter: { consumer_key: X_CONSUMER.key, consumer_secret: X_CONSUMER.secret, api_url: x.url },
    };
    const inside = { OUTBOUND_ALLOW: '127.0.0.1' };
    for (const [slug, of] of Object.entries(options)) {
      const file = join(database.dataDir, `${slug}.yaml`);
      writeFileSync(file, stringify({ kind: slug, slug, options: of }));
      await ostiaryJson({ ...database.env, ...inside }, 'providers', 'create', ...app, '--file', file);
    }

    const port = String(await freePort());
    const PUBLIC_URL = `http://127.0.0.1:${port}`;
    x.addConsumer({ ...X_CONSUMER, callbacks: [`${PUBLIC_URL}/v1/sign-in/callback`] });
    const env = { ...database.env, ...inside, PORT: port, PUBLIC_URL };
    server = await ServerProcess.start(env);
    api = new ApiClient(server.url);
    demo.use({ broker: PUBLIC_URL, ...application });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.end();
    await demo?.close();
    await graph?.close();
    await x?.close();
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

  const press = (button: string) => page.getByRole('button', { name: button, exact: true }).click();

  /** The providers as people meet them. */
  const facebook = {
    name: 'Facebook',
    slug: 'facebook',
    visit: (person: string) => void (graph.visitor = person),
    consent: () => press('Continue'),
    decline: () => press('Cancel'),
  };
  const twitter = {
    name: 'X',
    slug: 'twitter',
    visit: (person: string) =>
      void (x.signedIn = { id: idOnX(person), name: person, screenName: person, email: null }),
    consent: () => press('Authorize app'),
    decline: async () => {
      await press('Cancel');
      await page.getByRole('link', { name: 'Return to the app' }).click();
    },
  };
  type Provider = typeof facebook;
  const providers = [facebook, twitter];

  /** What the app says next. */
  async function message(): Promise<string> {
    const status = page.getByRole('status').filter({ hasNotText: 'Nobody is signed in.' });
    return (await status.textContent())!;
  }

  /** At the provider, as this person, the button of the app having been pressed. */
  async function arrive(provider: Provider, person: string, button: string): Promise<void> {
    provider.visit(person);
    await press(button);
    await page.getByRole('heading', { level: 1, name: /Facebook|Authorize/ }).waitFor();
  }

  async function signIn(provider: Provider, person: string): Promise<Shown> {
    await page.goto(demo.redirectUri);
    await arrive(provider, person, `Sign in with ${provider.name}`);
    await provider.consent();
    expect(await message()).toMatch(/^Signed in as user \d+ by /);
    return shown<Shown>();
  }

  const shown = async <T>() => JSON.parse((await page.locator('#details').textContent())!) as T;
  const token = () => page.evaluate<string>("JSON.parse(sessionStorage.getItem('session')).token");
  const callbackUrl = () => traffic.urls.find((url) => url.startsWith(`${server.url}/v1/sign-in/callback?`))!;

  describe.each(providers)('by way of $name', (provider) => {
    it('ends with a session', async () => {
      const { session, user } = await signIn(provider, 'ada');
      const { status, body } = await api.get<{ session: SessionBody }>('/v1/session', await token());
      expect([status, body.session]).toEqual([200, { ...session, expires_at: expect.any(String) }]);
      expect(session).toMatchObject({ kind: 'user', user_id: user.id, provider: provider.slug });
      expect(await passwordHashOf(user.id)).toBeNull();
    });

    it('is the same user each time, in whatever browser, and nobody else is', async () => {
      const first = await signIn(provider, 'grace');
      await openBrowser();
      const second = await signIn(provider, 'grace');
      await openBrowser();
      const other = await signIn(provider, 'hedy');
      expect(second.user.id).toBe(first.user.id);
      expect(second.session.id).not.toBe(first.session.id);
      expect(other.user.id).not.toBe(first.user.id);
    });

    it('ends at the app without a session when the person declines', async () => {
      await page.goto(demo.redirectUri);
      await arrive(provider, 'ada', `Sign in with ${provider.name}`);
      await provider.decline();
      expect(await message()).toBe('Failed: invalid_credentials');
      expect(await page.evaluate("sessionStorage.getItem('session')")).toBeNull();
      const back = traffic.urls.filter((url) => url.startsWith(`${demo.redirectUri}?`)).map(queryOf);
      expect(new Set(back.map((query) => query.get('error')))).toEqual(new Set(['invalid_credentials']));
      expect(back.some((query) => query.has('code'))).toBe(false);
    });

    it('is over when the way back is walked a second time', async () => {
      await signIn(provider, 'ada');
      const response = await page.goto(callbackUrl());
      expect(response!.status()).toBe(400);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('This sign-in is over');
      expect(page.url()).toBe(callbackUrl());
      expect(response!.request().redirectedFrom()).toBeNull();
    });

    it('brings the app nothing but what is meant for it: no fragment of the provider', async () => {
      await signIn(provider, 'ada');
      const landed = traffic.urls.filter((url) => url.startsWith(`${demo.redirectUri}?`));
      expect(landed.length).toBeGreaterThan(0);
      for (const url of landed) {
        expect([...queryOf(url).keys()].toSorted()).toEqual(['code', 'state']);
        expect(new URL(url).hash).toBe('');
      }
    });

    it('S-17 puts no token, no secret and no code of the provider into an address or a Referer', async () => {
      await signIn(provider, 'ada');
      const verifiers = traffic.bodies.flatMap((body) => /"code_verifier":"([^"]+)"/.exec(body)?.[1] ?? []);
      const upstream = [...graph.userTokens, ...x.tokens];
      const secrets = [FACEBOOK_SECRET, X_CONSUMER.secret, application.auth_secret, await token()];
      expect(verifiers).toHaveLength(1);
      expect(upstream).not.toEqual([]);
      const hidden = [...upstream, ...secrets, ...verifiers];
      const referrers = [
        ...(await traffic.referrers()),
        ...demo.referrers,
        ...graph.referrers,
        ...x.referrers,
      ];
      const seen = [...traffic.urls, ...referrers].map((text) => `${text} ${decodeURIComponent(text)}`);
      expect(seen.filter((text) => hidden.some((secret) => text.includes(secret)))).toEqual([]);

      // The provider's code comes to the broker alone, and the broker's to the app alone.
      const code = queryOf(traffic.urls.find((url) => url.startsWith(`${demo.redirectUri}?`))!).get('code')!;
      const query = queryOf(callbackUrl());
      const upstreamCode = query.get('code') ?? query.get('oauth_verifier')!;
      const placesOf = (text: string) =>
        new Set(traffic.urls.filter((url) => url.includes(text)).map((url) => new URL(url).origin));
      expect(placesOf(upstreamCode)).toEqual(new Set([server.url]));
      expect(placesOf(code)).toEqual(new Set([demo.origin]));
      for (const text of [code, upstreamCode]) {
        expect(referrers.filter((referrer) => referrer.includes(text))).toEqual([]);
      }
      expect(page.url()).toBe(demo.redirectUri);
    });

    it('upgrades the session that the page had begun without a user', async () => {
      await page.goto(demo.redirectUri);
      await press('Begin a session without signing in');
      expect(await message()).toBe('A session without a user');
      const before = await shown<{ session: SessionBody }>();
      const tokenBefore = await token();
      await arrive(provider, 'ada', `Sign in with ${provider.name}`);
      await provider.consent();
      expect(await message()).toMatch(/^Signed in as user \d+ by /);
      const { session } = await shown<Shown>();
      expect(session).toMatchObject({ id: before.session.id, kind: 'user', provider: provider.slug });
      expect((await api.get('/v1/session', tokenBefore)).status).toBe(401);
      expect((await api.get('/v1/session', await token())).status).toBe(200);
    });

    it('links the identity to whoever is signed in', async () => {
      const other = providers.find(({ slug }) => slug !== provider.slug)!;
      const person = `${provider.slug} person`;
      const { user } = await signIn(other, person);
      await arrive(provider, person, `Link ${provider.name}`);
      await provider.consent();
      expect(await message()).toBe(`Linked: ${provider.slug}`);
      const identities = await api.get<{ items: { provider: string }[] }>(
        '/v1/users/me/identities',
        await token(),
      );
      const slugs = identities.body.items.map((identity) => identity.provider);
      expect(slugs.toSorted()).toEqual(['facebook', 'twitter']);
      await openBrowser();
      expect((await signIn(provider, person)).user.id).toBe(user.id);
    });
  });

  it('can be begun by no page of an origin that the application does not allow', async () => {
    const elsewhere = await DemoApp.start();
    try {
      elsewhere.use({ broker: server.url, ...application });
      await page.goto(elsewhere.redirectUri);
      await press('Sign in with Facebook');
      expect(await message()).toBe('Failed: Failed to fetch');
      expect(page.url()).toBe(elsewhere.redirectUri);
    } finally {
      await elsewhere.close();
    }
  });

  it('is not finished by an answer that somebody else sends this browser to', async () => {
    await page.goto(`${demo.redirectUri}?code=of-somebody-else&state=theirs`);
    expect(await message()).toBe('Failed: This is not the answer to a sign-in of this tab.');
    expect(traffic.urls.filter((url) => url.startsWith(server.url))).toEqual([]);
  });

  describe('the page for people whom nobody expects', () => {
    const open = () => page.goto(`${server.url}/v1/sign-in/callback?state=unknown`);

    it('has a title, a language, one heading of the first level and a main part', async () => {
      await open();
      expect(await page.title()).toBe('This sign-in is over');
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual([
        'This sign-in is over',
      ]);
      const main = page.getByRole('main');
      expect(await main.count()).toBe(1);
      expect(await main.getByRole('heading', { level: 1 }).count()).toBe(1);
    });

    it('fits on a screen of 320 pixels, also with letters of twice the size', async () => {
      await page.setViewportSize({ width: 320, height: 640 });
      await open();
      for (const size of ['100%', '200%']) {
        await page.evaluate(`document.documentElement.style.fontSize = '${size}'`);
        const { scrollWidth, clientWidth } = await page.evaluate<{
          scrollWidth: number;
          clientWidth: number;
        }>(
          '({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })',
        );
        expect(clientWidth).toBe(320);
        expect(scrollWidth).toBeLessThanOrEqual(320);
      }
    });

    it.each(['light', 'dark'] as const)('is easy to read where people like it %s', async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await open();
      const [text, background] = await page.evaluate<[string, string]>(
        '(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))',
      );
      // WCAG 2.2, 1.4.6.
      expect(contrast(text, background)).toBeGreaterThanOrEqual(7);
      const isDark = luminance(background) < luminance(text);
      expect(isDark).toBe(colorScheme === 'dark');
    });
  });

  async function passwordHashOf(userId: number): Promise<string | null> {
    const stores = await TestStores.open(kind, { database });
    try {
      const rows = await stores.transactions.run(() =>
        stores.transactions.query<{ password_hash: string | null }>(
          'SELECT password_hash FROM users WHERE id = :userId',
          { userId },
        ),
      );
      return rows[0]!.password_hash;
    } finally {
      await stores.close();
    }
  }
});

/** What the page shows of whoever is signed in. */
interface Shown {
  readonly session: SessionBody;
  readonly user: UserBody;
}

const queryOf = (url: string) => new URL(url).searchParams;

/** Beyond 2^53, as X's are. */
function idOnX(person: string): string {
  return String(9_007_199_254_740_993n + BigInt(`0x${Buffer.from(person).toString('hex').slice(0, 12)}`));
}

/** WCAG 2.2: relative luminance of `rgb(r, g, b)`. */
function luminance(color: string): number {
  const [r, g, b] = color
    .match(/\d+/g)!
    .map((value) => Number(value) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}
