import { Command, Option } from 'commander';
import { BrokerLine } from '../chat/extauth/broker-line.js';
import { answerQuestions } from '../chat/extauth/external-auth.js';
import { chatClientSecret } from '../config/chat-client-secret.js';
import { Output, UsageError } from './output.js';

interface Options {
  readonly brokerUrl: string;
  readonly secretFile?: string;
  readonly timeout: string;
}

const DEFAULT_SECONDS = 4;
const MAX_SECONDS = 25;

/**
 * Runs at the chat server, which starts several of them: nothing of the broker itself is loaded here, no settings and no
 * database. Everything that this file imports is imported by each of them.
 */
export function addChatExtauthCommand(program: Command, output: Output): void {
  program
    .command('chat-extauth')
    .description(
      'for ejabberd and MongooseIM to run: asks the broker whether a user may log in, on stdin and stdout',
    )
    .addOption(
      new Option('--broker-url <url>', 'where the broker answers')
        .env('BROKER_URL')
        .default('http://127.0.0.1:8080'),
    )
    .option('--secret-file <file>', 'holds the chat client’s secret; without it, CHAT_CLIENT_SECRET does')
    .option('--timeout <seconds>', 'after which a question is answered no', String(DEFAULT_SECONDS))
    .action((options: Options) => run(options, output));
}

/** The command line with this command alone. */
export function buildChatExtauthProgram(): { readonly program: Command; readonly output: Output } {
  const program = new Command('ostiary').exitOverride();
  const output = new Output(() => false);
  addChatExtauthCommand(program, output);
  for (const command of program.commands) command.exitOverride();
  return { program, output };
}

async function run({ brokerUrl, secretFile, timeout }: Options, output: Output): Promise<void> {
  const secret = chatClientSecret(secretFile);
  if (secret === null) throw new UsageError('Set CHAT_CLIENT_SECRET, or give --secret-file.');
  // ejabberd gives up for good on a program that keeps stopping, so a file that is not there yet is no reason to.
  if (secret() === null)
    output.note(`${secretFile} cannot be read or is empty; nobody is let in until it can.`);
  const line = new BrokerLine({
    brokerUrl: toUrl(brokerUrl),
    secret,
    deadlineMilliseconds: toSeconds(timeout) * 1000,
    note: (text) => output.note(`${new Date().toISOString()} ${text}`),
  });
  // The chat server is gone when nobody reads the answers.
  process.stdout.on('error', () => process.exit(0));
  await answerQuestions(process.stdin, process.stdout, (question) => line.ask(question));
  // Connections that are kept for the next question would keep the process.
  process.exit(0);
}

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError('--broker-url (BROKER_URL) is not an address such as http://127.0.0.1:8080.');
  }
  return url;
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new UsageError(`--timeout is a number of seconds up to ${MAX_SECONDS}.`);
  }
  return seconds;
}
