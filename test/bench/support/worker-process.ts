import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A TypeScript file of this folder as a process of its own; what it prints goes to stderr. It ends when we do. */
export function forkWorker(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
}

/** The next message of a worker. @throws when it ends without one. */
export async function nextMessage<Message>(worker: ChildProcess, name: string): Promise<Message> {
  const answered = new AbortController();
  const options = { signal: answered.signal };
  const ended = once(worker, 'exit', options).then((values) => {
    const [code, signal] = values as [number | null, string | null];
    throw new Error(`${name} ended before it answered (${signal ?? `exit ${code}`}).`);
  });
  try {
    const [message] = (await Promise.race([once(worker, 'message', options), ended])) as unknown[];
    return message as Message;
  } finally {
    ended.catch(() => undefined);
    answered.abort();
  }
}

/** Asks a process to end and waits until it has; what does not hear is killed. */
export function endProcess(child: ChildProcess, graceMilliseconds: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMilliseconds);
    child.once('exit', () => {
      clearTimeout(killer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
