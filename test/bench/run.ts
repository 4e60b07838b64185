import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chatCheck } from './chat-check.bench.js';
import { cidp } from './cidp.bench.js';
import { cidpChaos } from './cidp-chaos.bench.js';
import { federatedSignIn } from './federated-sign-in.bench.js';
import { memory } from './memory.bench.js';
import { passwordSignIn } from './password-sign-in.bench.js';
import { refresh } from './refresh.bench.js';
import { revocation } from './revocation.bench.js';
import { sessionCheck } from './session-check.bench.js';
import { start } from './start.bench.js';
import type { Bench } from './support/bench.js';
import { machineFacts } from './support/machine.js';
import { Progress } from './support/progress.js';
import { documentOf, tableOf } from './support/report.js';
import { Resources } from './support/resources.js';
import { PROJECT } from './support/server-process.js';

const benches: readonly Bench[] = [
  sessionCheck,
  chatCheck,
  passwordSignIn,
  federatedSignIn,
  cidp,
  cidpChaos,
  refresh,
  revocation,
  memory,
  start,
];

const USAGE = `npm run bench -- <name> [--workers N] [--json]

Starts the built server (npm run build) and what it is compared with, all on the loopback, and prints a table and then
a JSON document. With --json, stdout has the document alone (add --silent after "npm run" for npm's own lines).
With --workers, a server with so many workers is compared with one process (${benches
  .filter((bench) => bench.runWithWorkers !== undefined)
  .map(({ name }) => name)
  .join(', ')}).

${benches.map(describe).join('\n\n')}
`;

// An interrupted bench still waits for something.
process.exit(await main());

async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) return 1;
  const { name, json, workers } = given;
  if (name === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const bench = benches.find((candidate) => candidate.name === name);
  if (!bench)
    return complain(`There is no bench "${name}". There are: ${benches.map((b) => b.name).join(', ')}.`);
  if (workers !== null && !bench.runWithWorkers)
    return complain(`The bench "${name}" does not compare workers.`);
  if (!existsSync(join(PROJECT, 'dist', 'main.js')))
    return complain('There is no built server to measure. Run "npm run build" first.');
  return measure(bench, workers, json);
}

interface Arguments {
  readonly name: string | undefined;
  readonly json: boolean;
  readonly workers: number | null;
}

function readArguments(): Arguments | null {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean', default: false }, workers: { type: 'string' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new Error('One bench at a time: they would measure each other.');
    const workers = values.workers === undefined ? null : Number(values.workers);
    if (workers !== null && !(Number.isInteger(workers) && workers >= 2 && workers <= 256))
      throw new Error('--workers takes a whole number from 2 to 256.');
    return { name: positionals[0], json: values.json, workers };
  } catch (error) {
    complain((error as Error).message);
    return null;
  }
}

async function measure(bench: Bench, workers: number | null, json: boolean): Promise<number> {
  const progress = new Progress(process.stderr);
  const resources = new Resources();
  try {
    const machine = machineFacts();
    const context = { progress, resources };
    const running = workers === null ? bench.run(context) : bench.runWithWorkers!(context, workers);
    const result = await Promise.race([running, interruption()]);
    progress.clear();
    const out = json ? process.stderr : process.stdout;
    out.write(`\n${tableOf(machine, result)}\n\n`);
    process.stdout.write(`${JSON.stringify(documentOf(bench.name, machine, result))}\n`);
    return 0;
  } catch (error) {
    progress.clear();
    return complain(`The bench broke: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await resources.closeAll();
  }
}

/** Rejects when somebody wants the bench to stop. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      // The package that starts PostgreSQL exits on these at once, before anything is tidied up. tsx has a listener of
      // its own, which is not in the list and has to stay: without its answer tsx kills this process.
      for (const listener of process.listeners(signal)) process.removeListener(signal, listener);
      process.on(signal, () => reject(new Error(`it was stopped by ${signal}`)));
    }
  });
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}

function describe({ name, asks, goals }: Bench): string {
  return [`  ${name}`, `    ${asks}`, ...goals.map((goal) => `    goal: ${goal}`)].join('\n');
}
