import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ChatStage } from '../support/chat/chat-stage.js';
import { Coturn } from '../support/chat/coturn.js';
import { describeWithServer } from '../support/chat/with-server.js';
import { TestAuthority } from '../support/tls/certificates.js';

const SECRET = 'a-secret-between-broker-and-coturn';

interface IceServer {
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
}

describeWithServer('turnserver', 'coturn that relays for users with a session', () => {
  let stage: ChatStage;
  let coturn: Coturn;

  beforeAll(async () => {
    const authority = TestAuthority.named('TURN test authority');
    coturn = await Coturn.start(authority, SECRET);
    stage = await ChatStage.start({
      OSTIARY_CHAT__TURN: JSON.stringify({
        urls: [`turn:127.0.0.1:${coturn.port}?transport=udp`],
        secret: { env: 'TURN_SECRET' },
      }),
      TURN_SECRET: SECRET,
    });
    // coturn goes by the time of day.
    stage.app.clock.advance({ milliseconds: Date.now() - stage.app.clock.now() });
  });
  afterAll(async () => {
    await stage?.stop();
    await coturn?.stop();
  });

  /** Asks coturn for a relay with its own client. @returns what that says. */
  const allocate = async (username: string, credential: string): Promise<string> => {
    const args = [
      '-y',
      '-n',
      '1',
      '-c',
      '-u',
      username,
      '-w',
      credential,
      '-p',
      String(coturn.port),
      '127.0.0.1',
    ];
    const child = spawn('turnutils_uclient', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        // It goes on trying for half a minute.
        if (/Cannot complete Allocation|channel bind: error/.test(text)) child.kill();
      });
    }
    await once(child, 'close');
    return text;
  };
  const iceServer = async (token: string): Promise<IceServer> => {
    const answer = await stage.app.api.get<{ ice_servers: IceServer[] }>('/chat/turn', token);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    return answer.body.ice_servers[0]!;
  };

  it('takes the credentials that the broker gives a user, and relays to nobody inside', async () => {
    const ada = await stage.user();
    const { username, credential } = await iceServer(ada.token);
    expect(username).toMatch(new RegExp(`^\\d+:${ada.name}$`));
    const said = await allocate(username, credential);
    // It got as far as naming its partner, which is this machine.
    expect(said).toContain('channel bind: error 403 (Forbidden IP)');
    expect(said).not.toContain('Cannot complete Allocation');
  });

  it('refuses a wrong credential, another user’s, one made longer, and one that has expired', async () => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    const { username, credential } = await iceServer(ada.token);
    const other = await iceServer(bob.token);
    const later = username.replace(/^\d+/, (second) => String(Number(second) + 1));
    const tries = [
      [username, 'wrong'],
      [username, other.credential],
      [other.username, credential],
      [later, credential],
    ] as const;
    for (const [name, password] of tries) {
      expect(await allocate(name, password)).toContain('Cannot complete Allocation');
    }
    stage.app.clock.advance({ hours: -1 });
    const expired = await iceServer((await stage.user()).token);
    expect(await allocate(expired.username, expired.credential)).toContain('Cannot complete Allocation');
  });
});
