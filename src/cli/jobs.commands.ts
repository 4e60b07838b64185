import type { Command } from 'commander';
import type { JobTurn } from '../jobs/job-passes.js';
import { JobRunner } from '../jobs/job-runner.js';
import type { JobState } from '../jobs/job-states.js';
import { withInstallation } from './installation.js';
import { table, UsageError, type Output } from './output.js';

export function addJobsCommands(program: Command, output: Output): void {
  const jobs = program
    .command('jobs')
    .description('work that comes round, which serving processes do by themselves');

  jobs
    .command('list')
    .description('all jobs: when each ran last, how that ended, when it is due again, and who is at it')
    .action(async () => {
      const states = await withInstallation((app) => app.get(JobRunner).list());
      output.result({ items: states.map(toItem) }, ({ items }) =>
        table(
          ['name', 'every', 'last run', 'outcome', 'rows', 'next run', 'holder'],
          items.map((item) => [
            item.name,
            `${item.every_seconds} s`,
            item.last_started_at ?? '-',
            item.last_outcome ?? '-',
            String(item.rows),
            item.next_run_at,
            item.holder ?? '-',
          ]),
        ),
      );
    });

  jobs
    .command('run')
    .description('do what is due now, or one job whether due or not; beside a running server')
    .option('--job <name>', 'this one alone')
    .action(async ({ job }: { job?: string }) => {
      const rows = new Map<string, number>();
      const progress = (name: string, done: number) => {
        rows.set(name, done);
        output.progress([...rows].map(([of, count]) => `${of} ${count}`).join('  '));
      };
      const turns = await withInstallation((app) => run(app.get(JobRunner), job, progress));
      output.progressDone();
      output.result({ items: turns }, ({ items }) =>
        items.length === 0 ? 'Nothing is due.' : toTable(items),
      );
      refuseUnfinished(turns);
    });
}

async function run(
  runner: JobRunner,
  name: string | undefined,
  progress: (job: string, rows: number) => void,
): Promise<JobTurn[]> {
  if (name === undefined) return runner.runDue(progress);
  const turn = await runner.runNow(name, progress);
  if (turn) return [turn];
  const names = (await runner.list()).map(({ job }) => job.name);
  throw new UsageError(`There is no job "${name}". There are: ${names.join(', ')}.`);
}

function toTable(turns: readonly JobTurn[]): string {
  return table(
    ['job', 'outcome', 'rows'],
    turns.map(({ job, outcome, rows }) => [job, outcome, String(rows)]),
  );
}

/** What was done stays done; but it was not all. */
function refuseUnfinished(turns: readonly JobTurn[]): void {
  const unfinished = turns.filter(({ outcome }) => outcome !== 'done');
  if (unfinished.length === 0) return;
  throw new UsageError(unfinished.map(({ job, outcome }) => `${job}: ${WHY[outcome]}`).join('\n'));
}

const WHY: Readonly<Record<JobTurn['outcome'], string>> = {
  done: 'done.',
  failed: 'failed; the log above says why. It is tried again later.',
  held: 'another process is at it.',
  fenced: 'another process has taken it over.',
  interrupted: 'interrupted; the next run goes on from there.',
};

function toItem({ job, lease }: JobState) {
  return {
    name: job.name,
    every_seconds: job.everySeconds,
    last_started_at: instant(lease.lastStartedAt),
    last_finished_at: instant(lease.lastFinishedAt),
    last_outcome: lease.lastOutcome,
    failures: lease.failures,
    rows: lease.rowsDone,
    next_run_at: instant(lease.nextRunAt),
    holder: lease.holder,
  };
}

function instant(milliseconds: number): string;
function instant(milliseconds: number | null): string | null;
function instant(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
