import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Question } from './question.js';

export interface BrokerLineOptions {
  /** Where the broker answers; a path is kept. */
  readonly brokerUrl: URL;
  /** The chat client's secret as it is now; null where it cannot be had. */
  readonly secret: () => string | null;
  /** How long one question may take in all. XMPP servers wait for 30 s at most, and others wait behind it. */
  readonly deadlineMilliseconds: number;
  /** Told once when the broker stops to answer, and once when it answers again. Never a secret or what the broker said. */
  readonly note: (text: string) => void;
}

interface Call {
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** What is more than this is no answer of the broker's. */
const MAX_ANSWER_BYTES = 65_536;
/** Connections kept open; ejabberd runs one program for each of its slots. */
const KEPT_CONNECTIONS = 8;

/** Asks the broker what an XMPP server wants to know. The answer is yes only where the broker said so clearly, and in time. */
export class BrokerLine {
  private readonly agent: HttpAgent | HttpsAgent;
  private readonly send: typeof httpRequest;
  private trouble: string | null = null;

  constructor(private readonly options: BrokerLineOptions) {
    const isTls = options.brokerUrl.protocol === 'https:';
    this.send = isTls ? httpsRequest : httpRequest;
    const kept = { keepAlive: true, maxFreeSockets: KEPT_CONNECTIONS };
    this.agent = isTls ? new HttpsAgent(kept) : new HttpAgent(kept);
  }

  /** Never throws: a broker that is away, slow, or says anything else has not said yes. */
  async ask(question: Question): Promise<boolean> {
    try {
      const isYes = question.kind === 'auth' ? await this.verify(question) : await this.exists(question);
      this.turned(null);
      return isYes;
    } catch (error) {
      this.turned(wordFor(error));
      return false;
    }
  }

  private async verify({ user, domain, password }: Question & { kind: 'auth' }): Promise<boolean> {
    const body = JSON.stringify({ username: user, domain, password });
    const text = await this.post({ path: '/chat/verify', type: 'application/json', body });
    const answer: unknown = parsed(text);
    if (typeof answer !== 'object' || answer === null || !('allow' in answer)) throw new Undecided('rubbish');
    return answer.allow === true;
  }

  /** Known accounts exist, also those that are away: what is written to them is kept. */
  private async exists({ user, domain }: Question): Promise<boolean> {
    const body = new URLSearchParams({ user, server: domain }).toString();
    const type = 'application/x-www-form-urlencoded';
    const text = await this.post({ path: '/chat/xmpp/user_exists', type, body });
    if (text !== 'true' && text !== 'false') throw new Undecided('rubbish');
    return text === 'true';
  }

  /** @returns the body of a decided answer. @throws when nothing was decided, for whatever reason. */
  private async post(call: Call): Promise<string> {
    const secret = this.options.secret();
    if (secret === null) throw new Undecided('no secret');
    const { status, text } = await this.exchange(call, secret);
    if (status !== 200) throw new Undecided(status === 401 ? 'secret refused' : `status ${status}`);
    return text;
  }

  private exchange({ path, type, body }: Call, secret: string): Promise<Reply> {
    const { brokerUrl, deadlineMilliseconds } = this.options;
    const url = new URL(brokerUrl.pathname.replace(/\/+$/, '') + path, brokerUrl);
    const headers = {
      authorization: `Bearer ${secret}`,
      'content-type': type,
      'content-length': Buffer.byteLength(body),
    };
    const signal = AbortSignal.timeout(deadlineMilliseconds);
    const attempt = (isRetry: boolean): Promise<Reply> =>
      new Promise((resolve, reject) => {
        const sent = this.send(url, { method: 'POST', headers, agent: this.agent, signal });
        sent.on('response', (response) => void readAll(response).then(resolve, reject));
        sent.on('error', (error: NodeJS.ErrnoException) => {
          // A kept connection that the broker had closed meanwhile. To ask twice changes nothing.
          const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
          if (isStale && !isRetry && !signal.aborted) attempt(true).then(resolve, reject);
          else reject(signal.aborted ? new Undecided('no answer in time') : error);
        });
        sent.end(body);
      });
    return attempt(false);
  }

  private turned(trouble: string | null): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.options.note(
      trouble === null
        ? 'The broker answers again.'
        : `The broker cannot be asked (${trouble}); until it can be, nobody is let in.`,
    );
  }
}

/** Nothing was decided. The message is one of our own words. */
class Undecided extends Error {
  override readonly name = 'Undecided';
}

function wordFor(error: unknown): string {
  if (error instanceof Undecided) return error.message;
  const { code, name } = error as NodeJS.ErrnoException;
  return code === 'ABORT_ERR' || name === 'AbortError' ? 'no answer in time' : (code ?? 'failed');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Undecided('rubbish');
  }
}

async function readAll(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Undecided('rubbish');
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
