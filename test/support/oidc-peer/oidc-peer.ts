import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../postgres-server.js';
import { rsaKey, type SigningKey } from '../signed-token.js';

/** A client as the peer has it registered. */
export interface PeerClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly redirect_uris: readonly string[];
}

export interface PeerTokens {
  readonly id_token: string;
  readonly access_token: string;
}

interface SignIn {
  readonly client: PeerClient;
  readonly nonce?: string;
  /** RFC 8707: the access token is a JWT for this one. */
  readonly resource?: string;
}

/** For whom its JWT access tokens are. */
export const PEER_RESOURCE = 'https://api.partner.example';

/** An OpenID provider as partners run them (`oidc-provider`), and an app that signs people in with it. */
export class OidcPeer {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly port: number,
    private readonly clients: readonly PeerClient[],
    private key: SigningKey,
  ) {}

  static async start(clients: readonly PeerClient[]): Promise<OidcPeer> {
    const peer = new OidcPeer(await freePort(), clients, rsaKey('first'));
    await peer.run();
    return peer;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Stops it and starts it with another key: the old one is not published any more. */
  async rotateKeys(): Promise<void> {
    await this.stop();
    this.key = rsaKey('second');
    await this.run();
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** What an app gets for somebody who signs in in its browser: the code flow, with the forms of the peer filled in. */
  async signIn(person: string, { client, nonce, resource }: SignIn): Promise<PeerTokens> {
    const verifier = randomBytes(32).toString('base64url');
    const [redirectUri = ''] = client.redirect_uris;
    const url = new URL('/auth', this.issuer);
    url.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(nonce !== undefined && { nonce }),
      ...(resource !== undefined && { resource }),
    }).toString();
    const code = await new FormFiller(person).walk(url, redirectUri);
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        client_id: client.client_id,
        ...(client.client_secret !== undefined && { client_secret: client.client_secret }),
      }),
    });
    if (response.status !== 200)
      throw new Error(`the peer answers ${response.status}: ${await response.text()}`);
    return (await response.json()) as PeerTokens;
  }

  private async run(): Promise<void> {
    const { privateKey, kid } = this.key;
    const settings = {
      port: this.port,
      resource: PEER_RESOURCE,
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] },
      clients: this.clients.map((client) => ({
        ...client,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: client.client_secret === undefined ? 'none' : 'client_secret_post',
      })),
    };
    const script = join(import.meta.dirname, 'peer.mjs');
    const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => chunk.includes('ready') && resolve());
      child.once('exit', () => reject(new Error(`the peer stopped:\n${said}`)));
    });
  }
}

/** Goes where a browser would be led, and says yes to whatever it is asked. */
class FormFiller {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly person: string) {}

  async walk(start: URL, end: string): Promise<string> {
    let next = { url: start, form: null as URLSearchParams | null };
    for (let step = 0; step < 20; step += 1) {
      const response = await this.request(next.url, next.form);
      const location = response.headers.get('location');
      if (location === null) {
        next = { url: next.url, form: this.filledIn(await response.text()) };
        continue;
      }
      const url = new URL(location, next.url);
      if (url.href.startsWith(end)) return codeIn(url);
      next = { url, form: null };
    }
    throw new Error('the peer leads nowhere');
  }

  private async request(url: URL, form: URLSearchParams | null): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      method: form === null ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie },
      ...(form !== null && { body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
    return response;
  }

  private filledIn(page: string): URLSearchParams {
    if (page.includes('name="prompt" value="login"')) {
      return new URLSearchParams({ prompt: 'login', login: this.person, password: 'any' });
    }
    if (page.includes('name="prompt" value="consent"')) return new URLSearchParams({ prompt: 'consent' });
    throw new Error(`the peer shows an unexpected page: ${page.slice(0, 500)}`);
  }
}

function codeIn(url: URL): string {
  const code = url.searchParams.get('code');
  if (code === null) throw new Error(`the peer refuses: ${url.search}`);
  return code;
}
