import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PEERS } from '../install-peers-where-stale.ts';

const START_MILLISECONDS = 90_000;
/** The emulator takes any. */
const API_KEY = 'any-api-key';

/** Someone who signed in at the emulator, as an app gets it. */
export interface EmulatorSignIn {
  readonly idToken: string;
  readonly localId: string;
}

/** The real Auth emulator of `firebase-tools`, in a process and a home folder of its own, on free ports. */
export class FirebaseEmulator {
  private constructor(
    private readonly child: ChildProcess,
    /** As options have it: host:port. */
    readonly host: string,
    readonly projectId: string,
    private readonly home: string,
  ) {}

  static async start(projectId = 'demo-ostiary'): Promise<FirebaseEmulator> {
    const home = mkdtempSync(join(tmpdir(), 'ostiary-firebase-'));
    const [auth, hub, logging] = await freePorts(3);
    const host = '127.0.0.1';
    const emulators = {
      singleProjectMode: false,
      auth: { host, port: auth },
      hub: { host, port: hub },
      logging: { host, port: logging },
      ui: { enabled: false },
    };
    writeFileSync(join(home, 'firebase.json'), JSON.stringify({ emulators }));
    const program = join(PEERS, 'node_modules', 'firebase-tools', 'lib', 'bin', 'firebase.js');
    const child = spawn(
      process.execPath,
      [program, 'emulators:start', '--only', 'auth', '--project', projectId, '--non-interactive'],
      {
        cwd: home,
        // Nothing of this machine's: no account, no proxy, no telemetry; and its leftovers go with the folder.
        env: { PATH: process.env['PATH'], HOME: home, TMPDIR: home, CI: 'true', NO_UPDATE_NOTIFIER: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    await ready(child);
    return new FirebaseEmulator(child, `${host}:${auth}`, projectId, home);
  }

  async stop(): Promise<void> {
    const closed = once(this.child, 'close');
    // It keeps nothing, so there is nothing to lose.
    this.child.kill('SIGKILL');
    await closed;
    rmSync(this.home, { recursive: true, force: true });
  }

  /** With the code that the emulator hands out instead of sending it. */
  async signInWithPhone(phoneNumber: string): Promise<EmulatorSignIn> {
    const { sessionInfo } = await this.call<{ sessionInfo: string }>('accounts:sendVerificationCode', {
      phoneNumber,
      recaptchaToken: 'ignored',
    });
    const { verificationCodes } = await this.look<{
      verificationCodes: readonly { readonly sessionInfo: string; readonly code: string }[];
    }>('verificationCodes');
    const code = verificationCodes.find((sent) => sent.sessionInfo === sessionInfo)!.code;
    return this.call('accounts:signInWithPhoneNumber', { sessionInfo, code });
  }

  signUpWithEmail(email: string, password = 'correct horse'): Promise<EmulatorSignIn> {
    return this.call('accounts:signUp', { email, password, returnSecureToken: true });
  }

  signInWithEmail(email: string, password = 'correct horse'): Promise<EmulatorSignIn> {
    return this.call('accounts:signInWithPassword', { email, password, returnSecureToken: true });
  }

  signInAnonymously(): Promise<EmulatorSignIn> {
    return this.call('accounts:signUp', { returnSecureToken: true });
  }

  /** Follows the link that the emulator keeps instead of mailing it. Tokens issued from then on say so. */
  async verifyEmail({ idToken }: EmulatorSignIn): Promise<void> {
    const { email } = await this.call<{ email: string }>('accounts:sendOobCode', {
      requestType: 'VERIFY_EMAIL',
      idToken,
    });
    const { oobCodes } = await this.look<{
      oobCodes: readonly { readonly email: string; readonly oobCode: string }[];
    }>('oobCodes');
    await this.call('accounts:update', { oobCode: oobCodes.find((sent) => sent.email === email)!.oobCode });
  }

  /** With an ID token of "Google" as the emulator takes them: the claims themselves. */
  signInWithGoogle(sub: string, email: string): Promise<EmulatorSignIn> {
    const claims = {
      sub,
      email,
      email_verified: true,
      name: 'Ada Lovelace',
      iss: '',
      aud: '',
      exp: 0,
      iat: 0,
    };
    return this.call('accounts:signInWithIdp', {
      postBody: new URLSearchParams({
        id_token: JSON.stringify(claims),
        providerId: 'google.com',
      }).toString(),
      requestUri: 'http://localhost',
      returnSecureToken: true,
      returnIdpCredential: true,
    });
  }

  /** What an administrator does. */
  disable(localId: string): Promise<unknown> {
    return this.administer({ localId, disableUser: true });
  }

  /** Ends what was signed in until now: the time stands in whole seconds, so it is the next one. */
  revoke(localId: string): Promise<unknown> {
    return this.administer({ localId, validSince: String(Math.floor(Date.now() / 1000) + 1) });
  }

  private administer(body: object): Promise<unknown> {
    return this.send(`identitytoolkit.googleapis.com/v1/projects/${this.projectId}/accounts:update`, {
      method: 'POST',
      headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  private call<T>(method: string, body: object): Promise<T> {
    return this.send(`identitytoolkit.googleapis.com/v1/${method}?key=${API_KEY}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  private look<T>(what: 'verificationCodes' | 'oobCodes'): Promise<T> {
    return this.send(`emulator/v1/projects/${this.projectId}/${what}`, {});
  }

  private async send<T>(path: string, init: RequestInit): Promise<T> {
    const response = await fetch(`http://${this.host}/${path}`, init);
    if (!response.ok) throw new Error(`the emulator answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** @throws when it stops or takes too long, with what it said. */
async function ready(child: ChildProcess): Promise<void> {
  let said = '';
  const late = AbortSignal.timeout(START_MILLISECONDS);
  await new Promise<void>((resolve, reject) => {
    const fail = () => {
      child.kill('SIGKILL');
      reject(new Error(`The Firebase emulator does not start:\n${said}`));
    };
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('All emulators ready')) resolve();
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('exit', fail);
    late.addEventListener('abort', fail, { once: true });
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
