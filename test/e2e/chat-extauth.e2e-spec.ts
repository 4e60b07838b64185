import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scriptedServer, type ScriptedServer } from '../support/scripted-server.js';
import { REPOSITORY } from '../support/server-process.js';

const SECRET = 'oscc_only-the-broker-may-read-this';
const TOKEN = 'a-token-that-nobody-else-may-read';
const LOGIN = `auth:17-1:chat.example:${TOKEN}`;
const ALLOW = { headers: { 'content-type': 'application/json' }, body: '{"allow":true,"session_id":4}' };
const DENY = { headers: { 'content-type': 'application/json' }, body: '{"allow":false}' };
const YES = '00020001';
const NO = '00020000';

function frame(text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([length, body]);
}

/** The built program, as an XMPP server runs it. */
class Extauth {
  stdout: Buffer = Buffer.alloc(0);
  stderr = '';
  readonly closed: Promise<unknown[]>;

  private constructor(readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (chunk: Buffer) => (this.stdout = Buffer.concat([this.stdout, chunk])));
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.closed = once(child, 'close');
  }

  static start(args: readonly string[], env: Readonly<Record<string, string>>): Extauth {
    const command = [join(REPOSITORY, 'dist', 'cli.js'), 'chat-extauth', ...args];
    return new Extauth(spawn(process.execPath, command, { env: { PATH: process.env['PATH'], ...env } }));
  }

  /** Writes, and waits for as many answers. @returns them, as hexadecimal digits, without those before. */
  async ask(count: number, ...bytes: readonly Buffer[]): Promise<string[]> {
    const before = this.stdout.length;
    for (const chunk of bytes) {
      this.child.stdin.write(chunk);
      // A pipe joins what is written at once; each chunk is to arrive by itself.
      await new Promise((resolve) => setImmediate(resolve));
    }
    while (this.stdout.length < before + 4 * count) await once(this.child.stdout, 'data');
    const answers = this.stdout.subarray(before);
    return Array.from({ length: answers.length / 4 }, (_, i) => answers.toString('hex', 4 * i, 4 * i + 4));
  }

  async said(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) await once(this.child.stderr, 'data');
  }

  async end(): Promise<number | null> {
    this.child.stdin.end();
    const [code] = await this.closed;
    return code as number | null;
  }
}

/** The packages that a built file imports, and those that it imports import, without what is imported on demand. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  const imports = /^(?:import|export)\s+(?:[^;']*?\sfrom\s+)?'([^']+)';/gm;
  for (const [, from] of readFileSync(file, 'utf8').matchAll(imports)) {
    if (from!.startsWith('node:')) continue;
    const inner = from!.startsWith('.') ? packagesOf(join(dirname(file), from!), seen) : [from!];
    for (const name of inner) packages.add(name);
  }
  return packages;
}

describe('ostiary chat-extauth', () => {
  let broker: ScriptedServer;
  let extauth: Extauth;
  const start = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    (extauth = Extauth.start(['--timeout', '1', ...args], {
      BROKER_URL: broker.url,
      CHAT_CLIENT_SECRET: SECRET,
      ...env,
    }));

  beforeEach(async () => {
    broker = await scriptedServer();
    broker.answer(ALLOW);
  });
  afterEach(async () => {
    extauth?.child.kill('SIGKILL');
    await extauth?.closed;
    await broker.close();
  });

  it('loads next to nothing: chat servers start several of it, and wait', () => {
    const dist = join(REPOSITORY, 'dist');
    expect([...packagesOf(join(dist, 'cli', 'chat-extauth.command.js'))]).toEqual(['commander']);
    expect([...packagesOf(join(dist, 'cli.js'))]).toEqual(['reflect-metadata']);
  });

  it('says what the broker says', async () => {
    start();
    expect(await extauth.ask(1, frame(LOGIN))).toEqual([YES]);
    broker.answer(DENY);
    expect(await extauth.ask(1, frame(LOGIN))).toEqual([NO]);
    expect(broker.requests).toEqual(['POST /chat/verify', 'POST /chat/verify']);
    expect(broker.heads[0]).toMatchObject({ authorization: `Bearer ${SECRET}` });
  });

  it('asks the broker whether there is such a user', async () => {
    start();
    broker.answer({ body: 'true' });
    expect(await extauth.ask(1, frame('isuser:17-1:chat.example'))).toEqual([YES]);
    broker.answer({ body: 'false' });
    expect(await extauth.ask(1, frame('isuser:17-1:chat.example'))).toEqual([NO]);
    for (const unsure of [ALLOW, { status: 503, body: 'true' }, { body: 'true\n' }]) {
      broker.answer(unsure);
      expect(await extauth.ask(1, frame('isuser:17-1:chat.example'))).toEqual([NO]);
    }
    expect(broker.requests[0]).toBe('POST /chat/xmpp/user_exists');
  });

  it.each([
    ['500', () => broker.answer({ status: 500, ...ALLOW })],
    ['503', () => broker.answer({ status: 503, ...ALLOW })],
    ['201', () => broker.answer({ status: 201, ...ALLOW })],
    ['a redirection', () => broker.answer({ status: 302, headers: { location: '/chat/verify' }, body: '' })],
    ['a page', () => broker.answer({ body: '<html>true</html>' })],
    ['nothing', () => broker.answer({ body: '' })],
    ['true', () => broker.answer({ body: 'true' })],
    ['another yes', () => broker.answer({ body: '{"allow":"true"}' })],
    ['too much', () => broker.answer({ body: `{"allow":true,"x":"${'x'.repeat(70_000)}"}` })],
    ['an answer without an end', () => broker.drip()],
    ['no answer', () => broker.stall()],
    ['a connection that ends', () => broker.hangUp()],
  ])('answers no to a broker that gives %s, and goes on', async (_, misbehave) => {
    start();
    misbehave();
    expect(await extauth.ask(2, frame(LOGIN), frame(LOGIN))).toEqual([NO, NO]);
    broker.answer(ALLOW);
    expect(await extauth.ask(1, frame(LOGIN))).toEqual([YES]);
  });

  it('answers no while the broker is away, says so once, and lets in again when it is back', async () => {
    const away = await scriptedServer();
    const { port } = new URL(away.url);
    await away.close();
    start(['--broker-url', `http://127.0.0.1:${port}`]);
    expect(await extauth.ask(2, frame(LOGIN), frame(LOGIN))).toEqual([NO, NO]);
    await extauth.said(/ECONNREFUSED/);
    const back = await scriptedServer({ port: Number(port) });
    back.answer(ALLOW);
    try {
      expect(await extauth.ask(1, frame(LOGIN))).toEqual([YES]);
      await extauth.said(/answers again/);
      expect(extauth.stderr.match(/cannot be asked/g)).toHaveLength(1);
    } finally {
      await back.close();
    }
  });

  it('answers in the order of the questions, and each question once', async () => {
    start();
    broker.stall();
    extauth.child.stdin.write(frame(LOGIN));
    while (broker.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    broker.answer(ALLOW);
    // The first takes as long as it may, two are no questions, and the last is decided long before the first.
    const answers = await extauth.ask(4, frame('setpass:17-1:h:new'), frame(''), frame(LOGIN));
    expect(answers).toEqual([NO, NO, NO, YES]);
  });

  it('lets no question wait for others while the broker hangs', async () => {
    start();
    broker.stall();
    const began = process.hrtime.bigint();
    const answers = await extauth.ask(20, Buffer.concat(Array.from({ length: 20 }, () => frame(LOGIN))));
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    expect(answers).toEqual(Array.from({ length: 20 }, () => NO));
    // One after the other they would take twenty.
    expect(seconds).toBeLessThan(10);
  });

  it('understands frames in pieces and in one piece, and answers what is none with no', async () => {
    start();
    const snowman = frame('auth:17-1:chat.example:☃');
    expect(
      await extauth.ask(1, snowman.subarray(0, 1), snowman.subarray(1, 26), snowman.subarray(26)),
    ).toEqual([YES]);
    const half = frame(Buffer.from([...Buffer.from('auth:17-1:h:'), 0xe2, 0x98]));
    const rubbish = [frame('x'.repeat(65_535)), half, frame('auth'), frame(''), frame(LOGIN)];
    expect(await extauth.ask(5, Buffer.concat(rubbish))).toEqual([NO, NO, NO, NO, YES]);
    expect(broker.requests).toHaveLength(2);
  });

  it('takes the secret from a file, also one that changes or is not there yet', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ostiary-extauth-'));
    const file = join(folder, 'secret');
    try {
      start(['--secret-file', file], { CHAT_CLIENT_SECRET: '' });
      expect(await extauth.ask(1, frame(LOGIN))).toEqual([NO]);
      expect(broker.requests).toEqual([]);
      writeFileSync(file, `${SECRET}\n`);
      expect(await extauth.ask(1, frame(LOGIN))).toEqual([YES]);
      writeFileSync(file, 'oscc_another');
      expect(await extauth.ask(1, frame(LOGIN))).toEqual([YES]);
      expect(broker.heads.map(({ authorization }) => authorization)).toEqual([
        `Bearer ${SECRET}`,
        'Bearer oscc_another',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('ends when the chat server does, with the answers it still owes', async () => {
    start();
    extauth.child.stdin.write(Buffer.concat([frame(LOGIN), frame(LOGIN), Buffer.from([0, 9, 97])]));
    expect(await extauth.end()).toBe(0);
    expect(extauth.stdout.toString('hex')).toBe(YES + YES);
  });

  it('writes nothing but answers on stdout, and no secret anywhere', async () => {
    start();
    broker.answer({ status: 401, body: TOKEN });
    await extauth.ask(1, frame(LOGIN));
    broker.answer({ body: `{"allow":"${TOKEN}"` });
    await extauth.ask(1, frame(LOGIN));
    expect(await extauth.end()).toBe(0);
    expect(extauth.stdout.toString('hex')).toBe(NO + NO);
    expect(extauth.stderr).toMatch(/secret refused/);
    expect(extauth.stderr).not.toContain(SECRET);
    expect(extauth.stderr).not.toContain(TOKEN);
  });

  it.each([
    ['no secret', [], { CHAT_CLIENT_SECRET: '' }, /CHAT_CLIENT_SECRET/],
    ['an address that is none', ['--broker-url', 'chat.example'], {}, /--broker-url/],
    ['a time that is none', ['--timeout', 'long'], {}, /--timeout/],
  ])('says in one line that it was given %s', async (_, args, env, said) => {
    start(args, env);
    expect(await extauth.end()).toBe(1);
    expect(extauth.stderr).toMatch(said);
    expect(extauth.stderr.trim().split('\n')).toHaveLength(1);
    expect(extauth.stdout).toHaveLength(0);
  });
});
