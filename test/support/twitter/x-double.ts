import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expectedSignature, oauth1Parameters } from './oauth1-check.js';
import {
  BAD_DATA,
  CALLBACK_NOT_APPROVED,
  CLIENT_FORBIDDEN,
  form,
  INVALID_TOKEN,
  json,
  NO_SUCH_PAGE,
  NOT_AUTHENTICATED,
  NOT_IN_PLAN,
  OUT_OF_BOUNDS,
  page,
  SUSPENDED,
  SUSPENDED_V2,
  tokenError,
  UNAUTHORIZED,
  type XAnswer,
} from './x-answers.js';

/** An app's OAuth 1.0a keys. */
export interface XConsumer {
  readonly key: string;
  readonly secret: string;
  readonly callbacks: readonly string[];
}

/** An app's OAuth 2 keys; without a secret it is a public client. */
export interface XClient {
  readonly id: string;
  readonly secret: string | null;
  readonly redirectUris: readonly string[];
}

export interface XPerson {
  /** Decimal, and beyond 2^53 as ids of today are. */
  readonly id: string;
  readonly name: string;
  readonly screenName: string;
  readonly email: string | null;
}

interface Grant {
  readonly person: XPerson;
  readonly consumer: XConsumer;
  readonly secret: string;
}

interface RequestToken {
  readonly consumer: XConsumer;
  readonly secret: string;
  readonly callback: string;
  granted: { readonly person: XPerson; readonly verifier: string } | null;
}

interface Code {
  readonly client: XClient;
  readonly person: XPerson;
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly scope: string;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
}

/**
 * Stands in for X: API 1.1 and 2, OAuth 1.0a with signatures that are really checked, OAuth 2 with PKCE, and the page
 * on which people consent. Its refusals are X's own, word by word.
 */
export class XDouble {
  /** How often each path was asked. */
  readonly calls = new Map<string, number>();
  /** The Referer of each request that had one. */
  readonly referrers: string[] = [];
  /** Who sits at the browser that the consent page is shown to. */
  signedIn: XPerson | null = null;

  private readonly consumers = new Map<string, XConsumer>();
  private readonly clients = new Map<string, XClient>();
  private readonly grants = new Map<string, Grant>();
  private readonly requestTokens = new Map<string, RequestToken>();
  private readonly codes = new Map<string, Code>();
  private readonly bearers = new Map<string, XPerson>();
  private readonly suspended = new Set<string>();
  private readonly nonces = new Set<string>();
  private readonly overrides = new Map<string, XAnswer>();
  private readonly sockets = new Set<Socket>();
  private mood: 'well' | 'stalling' | 'rubbish' = 'well';
  private v1Closed = false;
  private enrolled = true;
  private server: Server | null = null;
  private port = 0;

  private constructor(private readonly now: () => number) {}

  static async start(now: () => number = Date.now): Promise<XDouble> {
    const double = new XDouble(now);
    await double.listen();
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  // What there is at X.

  addConsumer(consumer: XConsumer): XConsumer {
    this.consumers.set(consumer.key, consumer);
    return consumer;
  }

  addClient(client: XClient): XClient {
    this.clients.set(client.id, client);
    return client;
  }

  /** An access token that this person gave this app. */
  tokenFor(person: XPerson, consumer: XConsumer): { oauth_token: string; oauth_token_secret: string } {
    const token = `${person.id}-${randomText(20)}`;
    const secret = randomText(34);
    this.grants.set(token, { person, consumer, secret });
    return { oauth_token: token, oauth_token_secret: secret };
  }

  /** Access tokens and their secrets, of all people and apps, so far. */
  get tokens(): string[] {
    return [...this.grants].flatMap(([token, { secret }]) => [token, secret]);
  }

  revoke(token: string): void {
    this.grants.delete(token);
  }

  suspend(person: XPerson): void {
    this.suspended.add(person.id);
  }

  codeFor(
    person: XPerson,
    client: XClient,
    {
      codeVerifier,
      redirectUri = client.redirectUris[0]!,
      scope = 'tweet.read users.read',
    }: {
      codeVerifier: string;
      redirectUri?: string;
      scope?: string;
    },
  ): string {
    const code = randomText(68);
    const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
    this.codes.set(code, { client, person, redirectUri, codeChallenge, scope });
    return code;
  }

  // Its moods.

  /** The app's plan no longer includes API 1.1. */
  closeV1(): void {
    this.v1Closed = true;
  }

  openV1(): void {
    this.v1Closed = false;
  }

  /** The app is in no project, so that API 2 is closed to it. */
  unenrol(): void {
    this.enrolled = false;
  }

  /** From now on this path answers this, until `comeBack`. */
  answer(path: string, answer: XAnswer): void {
    this.overrides.set(path, answer);
  }

  async goDown(): Promise<void> {
    const server = this.server;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  stall(): void {
    this.mood = 'stalling';
  }

  talkRubbish(): void {
    this.mood = 'rubbish';
  }

  /** Well again in every respect; suspended people and revoked tokens stay so. */
  async comeBack(): Promise<void> {
    this.mood = 'well';
    this.v1Closed = false;
    this.enrolled = true;
    this.overrides.clear();
    if (!this.server) await this.listen();
  }

  callsTo(path: string): number {
    return this.calls.get(path) ?? 0;
  }

  close(): Promise<void> {
    return this.goDown();
  }

  // What a browser does.

  /** The person presses "Authorize app" on the page at this address. @returns where the browser is sent. */
  async authorize(address: URL, person: XPerson): Promise<URL> {
    this.signedIn = person;
    const answer = await this.press(address, 'authorize');
    return new URL(answer.headers.get('location')!);
  }

  /** The person presses "Cancel". @returns where the link back to the app leads. */
  async decline(address: URL, person: XPerson): Promise<URL> {
    this.signedIn = person;
    const answer = await this.press(address, 'cancel');
    return new URL(/href="([^"]+)"/.exec(await answer.text())![1]!);
  }

  private async press(address: URL, button: string): Promise<Response> {
    const shown = await (await fetch(address)).text();
    const token = /name="oauth_token" value="([^"]+)"/.exec(shown)![1]!;
    return fetch(new URL('/oauth/authorize', this.url), {
      method: 'POST',
      body: new URLSearchParams({ oauth_token: token, [button]: '1' }),
      redirect: 'manual',
    });
  }

  // Behind the counter.

  private async listen(): Promise<void> {
    const server = createServer((request, response) => void this.serve(request, response));
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url!, this.url);
    this.calls.set(url.pathname, this.callsTo(url.pathname) + 1);
    if (request.headers.referer !== undefined) this.referrers.push(request.headers.referer);
    if (this.mood === 'stalling') return;
    const { status, type, body, location } =
      this.mood === 'rubbish'
        ? page('<h1>Welcome to the free Wi-Fi</h1>')
        : (this.overrides.get(url.pathname) ??
          this.answerTo({
            method: request.method!,
            path: `${request.method} ${url.pathname}`,
            url,
            authorization: request.headers.authorization,
            body: Buffer.concat(chunks).toString('utf8'),
          }));
    response.writeHead(status, { 'content-type': type, ...(location && { location }) });
    response.end(body);
  }

  private answerTo(asked: Asked): XAnswer {
    switch (asked.path) {
      case 'GET /1.1/account/verify_credentials.json':
        return this.v1Closed ? NOT_IN_PLAN : this.verifyCredentials(asked);
      case 'GET /2/users/me':
        return this.enrolled ? this.me(asked) : CLIENT_FORBIDDEN;
      case 'POST /2/oauth2/token':
        return this.redeem(asked);
      case 'POST /oauth/request_token':
        return this.requestToken(asked);
      case 'GET /oauth/authenticate':
        return this.consentPage(asked);
      case 'POST /oauth/authorize':
        return this.consent(asked);
      case 'POST /oauth/access_token':
        return this.accessToken(asked);
      default:
        return NO_SUCH_PAGE;
    }
  }

  private verifyCredentials(asked: Asked): XAnswer {
    const signed = this.checkSignature(asked, (token) => this.grants.get(token));
    if ('status' in signed) return signed;
    const { person } = signed.token!;
    if (this.suspended.has(person.id)) return SUSPENDED;
    const withEmail = asked.url.searchParams.get('include_email') === 'true';
    const { body, ...answer } = json(200, {
      id: 0,
      id_str: person.id,
      name: person.name,
      screen_name: person.screenName,
      ...(withEmail && { email: person.email }),
      lang: null,
      verified: false,
      profile_image_url: `http://pbs.twimg.com/profile_images/${person.id}/normal.jpg`,
      profile_image_url_https: `https://pbs.twimg.com/profile_images/${person.id}/normal.jpg`,
    });
    // A number with all its digits, which JSON readers of most languages round.
    return { ...answer, body: body.replace('"id":0', `"id":${person.id}`) };
  }

  private me(asked: Asked): XAnswer {
    const bearer = /^Bearer (.+)$/.exec(asked.authorization ?? '')?.[1];
    const signed =
      bearer === undefined ? this.checkSignature(asked, (token) => this.grants.get(token)) : null;
    if (signed && 'status' in signed) return signed === OUT_OF_BOUNDS ? signed : UNAUTHORIZED;
    const person = signed ? signed.token!.person : this.bearers.get(bearer!);
    if (!person) return UNAUTHORIZED;
    if (this.suspended.has(person.id)) return SUSPENDED_V2;
    const fields = asked.url.searchParams.get('user.fields')?.split(',') ?? [];
    return json(200, {
      data: {
        id: person.id,
        name: person.name,
        username: person.screenName,
        ...(fields.includes('profile_image_url') && {
          profile_image_url: `https://pbs.twimg.com/profile_images/${person.id}/normal.jpg`,
        }),
      },
    });
  }

  private redeem({ authorization, body }: Asked): XAnswer {
    const values = new URLSearchParams(body);
    const [basicId, basicSecret] = basicPair(authorization);
    const client = this.clients.get(basicId ?? values.get('client_id') ?? '');
    if (!client) return tokenError(401, 'invalid_client', 'Client authentication failed.');
    if (client.secret !== null && client.secret !== basicSecret) {
      return tokenError(401, 'unauthorized_client', 'Missing valid authorization header');
    }
    if (values.get('grant_type') !== 'authorization_code') {
      return tokenError(400, 'unsupported_grant_type', 'Grant type not supported.');
    }
    const text = values.get('code') ?? '';
    const code = this.codes.get(text);
    // Once, whatever comes of it.
    this.codes.delete(text);
    if (!code || code.client.id !== client.id) {
      return tokenError(400, 'invalid_request', 'Value passed for the authorization code was invalid.');
    }
    if (values.get('redirect_uri') !== code.redirectUri) {
      return tokenError(
        400,
        'invalid_request',
        'Value passed for the redirect uri did not match the uri of the authorization code.',
      );
    }
    const challenge = createHash('sha256')
      .update(values.get('code_verifier') ?? '')
      .digest('base64url');
    if (challenge !== code.codeChallenge) {
      return tokenError(
        400,
        'invalid_request',
        'Value passed for the code verifier did not match the code challenge.',
      );
    }
    const token = randomText(68);
    this.bearers.set(token, code.person);
    return json(200, { token_type: 'bearer', expires_in: 7200, access_token: token, scope: code.scope });
  }

  private requestToken(asked: Asked): XAnswer {
    const signed = this.checkSignature(asked, null);
    if ('status' in signed) return signed;
    const { consumer, parameters } = signed;
    const callback = parameters['oauth_callback'] ?? '';
    if (!consumer.callbacks.includes(callback)) return CALLBACK_NOT_APPROVED;
    const token = randomText(27);
    const secret = randomText(32);
    this.requestTokens.set(token, { consumer, secret, callback, granted: null });
    return form({ oauth_token: token, oauth_token_secret: secret, oauth_callback_confirmed: 'true' });
  }

  private consentPage({ url }: Asked): XAnswer {
    const token = url.searchParams.get('oauth_token') ?? '';
    if (!this.requestTokens.has(token)) {
      return { ...page('<h1>Whoa there!</h1><p>There is no request token for this page.</p>'), status: 401 };
    }
    return page(
      `<h1>Authorize the app to access your account?</h1>` +
        `<form method="post" action="/oauth/authorize"><input type="hidden" name="oauth_token" value="${token}">` +
        `<button id="allow" name="authorize" value="1">Authorize app</button>` +
        `<button id="cancel" name="cancel" value="1">Cancel</button></form>`,
    );
  }

  private consent({ body }: Asked): XAnswer {
    const pressed = new URLSearchParams(body);
    const token = pressed.get('oauth_token') ?? '';
    const waiting = this.requestTokens.get(token);
    if (!waiting || !this.signedIn) return { ...page('<h1>Whoa there!</h1>'), status: 401 };
    const back = new URL(waiting.callback);
    if (pressed.has('cancel')) {
      this.requestTokens.delete(token);
      back.searchParams.set('denied', token);
      return page(`<h1>You have denied the app access.</h1><a href="${back.href}">Return to the app</a>`);
    }
    const verifier = randomText(32);
    waiting.granted = { person: this.signedIn, verifier };
    back.searchParams.set('oauth_token', token);
    back.searchParams.set('oauth_verifier', verifier);
    return { ...page(''), status: 302, location: back.href };
  }

  private accessToken(asked: Asked): XAnswer {
    const signed = this.checkSignature(asked, (token) => this.requestTokens.get(token));
    if ('status' in signed) return signed;
    const { granted, consumer } = signed.token!;
    if (!granted || signed.parameters['oauth_verifier'] !== granted.verifier) {
      return {
        status: 401,
        type: 'text/html;charset=utf-8',
        body: 'Error processing your OAuth request: Invalid oauth_verifier parameter',
      };
    }
    this.requestTokens.delete(signed.parameters['oauth_token']!);
    return form({
      ...this.tokenFor(granted.person, consumer),
      user_id: granted.person.id,
      screen_name: granted.person.screenName,
    });
  }

  /** RFC 5849 §3.2. @param find null where no token takes part. */
  private checkSignature<Token extends { consumer: XConsumer; secret: string }>(
    { method, url, authorization }: Asked,
    find: ((token: string) => Token | undefined) | null,
  ): XAnswer | { consumer: XConsumer; parameters: Record<string, string>; token: Token | null } {
    const parameters = oauth1Parameters(authorization);
    if (!parameters) return BAD_DATA;
    const consumer = this.consumers.get(parameters['oauth_consumer_key'] ?? '');
    if (!consumer || parameters['oauth_signature_method'] !== 'HMAC-SHA1') return NOT_AUTHENTICATED;
    if (Math.abs(this.now() / 1000 - Number(parameters['oauth_timestamp'])) > 300) return OUT_OF_BOUNDS;
    const token = find?.(parameters['oauth_token'] ?? '') ?? null;
    if (find && (!token || token.consumer.key !== consumer.key)) return INVALID_TOKEN;
    const signature = expectedSignature({ method, url: url.href }, parameters, consumer, token?.secret);
    if (signature !== parameters['oauth_signature']) return NOT_AUTHENTICATED;
    const moment = [consumer.key, parameters['oauth_timestamp'], parameters['oauth_nonce']].join(' ');
    if (this.nonces.has(moment)) return NOT_AUTHENTICATED;
    this.nonces.add(moment);
    return { consumer, parameters, token };
  }
}

function basicPair(authorization: string | undefined): readonly (string | undefined)[] {
  const encoded = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return [];
  return Buffer.from(encoded, 'base64').toString('utf8').split(':').map(decodeURIComponent);
}

function randomText(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length);
}
