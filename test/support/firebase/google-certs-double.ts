import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions } from 'node:tls';
import { jwtVerify } from 'jose';
import { BrokerError } from '../../../src/errors/broker-error.js';
import {
  OutboundClient,
  type OutboundRequest,
  type OutboundResponse,
} from '../../../src/outbound/outbound-client.js';
import { selfSignedCertificate } from './self-signed-certificate.js';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly certificate: string;
}

/** A user as `accounts:lookup` answers. */
interface GoogleUser {
  readonly disabled?: boolean;
  /** Tokens of sign-ins before it are revoked. */
  readonly validSince?: string;
}

export interface TokenParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Instead of Google's. */
  readonly key?: KeyObject;
}

export const OUTBOUND = {
  allow: ['127.0.0.1'],
  connectMilliseconds: 1000,
  totalMilliseconds: 3000,
  maxResponseBytes: 262144,
  connectionsPerOrigin: 20,
};
const CERTIFICATES = '/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com';
const ACCESS_TOKEN = 'ya29.access-token-of-the-service-account';

/**
 * The three Google services that verification needs, on one TLS server of the loopback: the certificates of Firebase's
 * ID tokens, access tokens for service accounts, and the look-up of users. Their addresses are constants of the
 * library, so `outbound` hands out an agent that dials here whatever it is asked for.
 */
export class GoogleDouble {
  /** `<host><path>` of each request. */
  readonly asked: string[] = [];
  readonly users = new Map<string, GoogleUser>();
  readonly serviceAccount: { readonly client_email: string; readonly private_key: string };
  readonly outbound: OutboundClient;
  /** How long certificates may be kept. Google says some hours. */
  maxAgeSeconds = 20_000;
  /** What the look-up answers instead of users. */
  lookupFault: { readonly status: number; readonly message: string } | null = null;
  private mood: 'well' | 'stalling' | 'rubbish' = 'well';
  private keys: readonly SigningKey[] = [newSigningKey()];
  private readonly accountKeys = rsaKeys();
  private readonly tls = rsaKeys();
  private readonly certificate = selfSignedCertificate('www.googleapis.com', this.tls);
  private readonly sockets = new Set<Duplex>();
  private server: Server | undefined;
  private port = 0;

  private constructor() {
    this.serviceAccount = {
      client_email: 'broker@demo-ostiary.iam.gserviceaccount.com',
      private_key: this.accountKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    this.outbound = new OutboundToDouble(this.agent());
  }

  static async start(): Promise<GoogleDouble> {
    const double = new GoogleDouble();
    await double.comeBack();
    return double;
  }

  /** A token of a phone sign-in as Firebase issues it, but for what is given; `undefined` leaves a claim out. */
  signIdToken({ header, payload, key }: TokenParts = {}): string {
    const { kid, privateKey } = this.keys[0]!;
    const now = Math.floor(Date.now() / 1000);
    return signJwt(
      { alg: 'RS256', kid, typ: 'JWT', ...header },
      {
        iss: 'https://securetoken.google.com/demo-ostiary',
        aud: 'demo-ostiary',
        auth_time: now - 60,
        user_id: 'uid-of-ada',
        sub: 'uid-of-ada',
        iat: now - 60,
        exp: now + 3540,
        phone_number: '+4915112345678',
        firebase: { identities: { phone: ['+4915112345678'] }, sign_in_provider: 'phone' },
        ...payload,
      },
      key ?? privateKey,
    );
  }

  /** The certificates of the keys so far are gone from the endpoint. */
  rotateKeys(): void {
    this.keys = [newSigningKey()];
  }

  stall(): void {
    this.mood = 'stalling';
  }

  talkRubbish(): void {
    this.mood = 'rubbish';
  }

  async goDown(): Promise<void> {
    if (!this.server) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
    this.server = undefined;
  }

  async comeBack(): Promise<void> {
    this.mood = 'well';
    if (this.server) return;
    const { privateKey } = this.tls;
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    this.server = createServer({ key, cert: this.certificate }, (request, response) => {
      void this.answer(request, response);
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.goDown();
    await this.outbound.close();
  }

  private agent(): Agent {
    const agent = new Agent({ keepAlive: false });
    agent.createConnection = (options) =>
      connect({
        ...(options as ConnectionOptions),
        host: '127.0.0.1',
        port: this.port,
        ca: this.certificate,
        checkServerIdentity: () => undefined,
      });
    return agent;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = `${request.headers.host}${request.url}`;
    this.asked.push(asked);
    if (this.mood === 'stalling') return;
    if (this.mood === 'rubbish')
      return void response.end('<html>Sorry, no certificates: PLAINTEXT-OF-GOOGLE</html>');
    if (asked === `www.googleapis.com${CERTIFICATES}`) return this.sendCertificates(response);
    if (asked === 'oauth2.googleapis.com/token') return this.sendAccessToken(await text(request), response);
    if (/^identitytoolkit\.googleapis\.com\/v1\/projects\/[^?]*\/accounts:lookup$/.test(asked)) {
      return this.sendUser(request, await text(request), response);
    }
    sendJson(response, 404, { error: { code: 404, message: 'NOT_FOUND' } });
  }

  private sendCertificates(response: ServerResponse): void {
    response.setHeader(
      'cache-control',
      `public, max-age=${this.maxAgeSeconds}, must-revalidate, no-transform`,
    );
    sendJson(response, 200, Object.fromEntries(this.keys.map(({ kid, certificate }) => [kid, certificate])));
  }

  private async sendAccessToken(body: string, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(body);
    const verified = await jwtVerify(form.get('assertion') ?? '', this.accountKeys.publicKey, {
      issuer: this.serviceAccount.client_email,
      audience: 'https://oauth2.googleapis.com/token',
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'iat', 'scope'],
    }).catch(() => null);
    if (verified && form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
      return sendJson(response, 200, { access_token: ACCESS_TOKEN, expires_in: 3599, token_type: 'Bearer' });
    }
    sendJson(response, 400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
  }

  private sendUser(request: IncomingMessage, body: string, response: ServerResponse): void {
    if (request.headers.authorization !== `Bearer ${ACCESS_TOKEN}`) {
      return sendJson(response, 401, { error: { code: 401, message: 'UNAUTHENTICATED' } });
    }
    const { status, message } = this.lookupFault ?? {};
    if (status !== undefined) return sendJson(response, status, { error: { code: status, message } });
    const { localId } = JSON.parse(body) as { localId: [string] };
    const user = this.users.get(localId[0]);
    sendJson(response, 200, {
      kind: 'identitytoolkit#GetAccountInfoResponse',
      ...(user && { users: [{ localId: localId[0], ...user }] }),
    });
  }
}

/** A JWT with whatever is in it. */
export function signJwt(header: object, payload: object, key: KeyObject): string {
  const content = `${encoded(header)}.${encoded(payload)}`;
  return `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`;
}

/** As the emulator makes them. */
export function unsignedJwt(payload: object): string {
  return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(payload)}.`;
}

export function rsaKeys() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function newSigningKey(): SigningKey {
  const keys = rsaKeys();
  const certificate = selfSignedCertificate('securetoken.system.gserviceaccount.com', keys);
  return {
    kid: createHash('sha1').update(certificate).digest('hex'),
    privateKey: keys.privateKey,
    certificate,
  };
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' });
  response.end(JSON.stringify(body));
}

/** The way out, but to the double: real connections, real TLS. */
class OutboundToDouble extends OutboundClient {
  constructor(private readonly agent: Agent) {
    super(OUTBOUND);
  }

  override agentFor(): Agent {
    return this.agent;
  }

  override send({ method = 'GET', url, headers = {}, body }: OutboundRequest): Promise<OutboundResponse> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest(url, { method, headers, agent: this.agent, timeout: 3000 }, (answer) => {
        void text(answer).then((read) =>
          resolve({ status: answer.statusCode ?? 0, headers: {}, body: Buffer.from(read) }),
        );
      });
      request.on('error', () => reject(new BrokerError('identity_provider_unavailable')));
      request.end(body);
    });
  }

  override async close(): Promise<void> {
    this.agent.destroy();
    await super.close();
  }
}
