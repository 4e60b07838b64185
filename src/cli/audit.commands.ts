import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import { toAuditDocument } from '../audit/audit-document.js';
import type { AuditQuery } from '../audit/audit-entry.js';
import { AuditLog } from '../audit/audit-log.js';
import { time } from '../http/input.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { UsageError, type Output } from './output.js';

interface Options {
  readonly app?: string;
  readonly since?: string;
  readonly until?: string;
}

type Filter = Omit<AuditQuery, 'afterId' | 'limit'>;

const PAGE = 1000;

const timeSchema = time();

export function addAuditCommands(program: Command, output: Output): void {
  const audit = program.command('audit').description('the record of who did what');

  audit
    .command('export')
    .description('print entries, oldest first, one JSON document a line')
    .option('--app <id>', 'only what concerns this application_id')
    .option('--since <time>', 'from this time on, such as 2026-01-31 or 2026-01-31T08:00:00Z')
    .option('--until <time>', 'before this time')
    .action(async (options: Options) => {
      const filter = toFilter(options);
      await withInstallation((app) => output.items(entries(app, filter, output)));
      output.progressDone();
    });
}

/** Page by page, so that a log of any length takes no more memory than a page. */
async function* entries(app: INestApplicationContext, filter: Filter, output: Output) {
  let [afterId, count] = [0, 0];
  for (;;) {
    const page = await app.get(AuditLog).read({ ...filter, afterId, limit: PAGE });
    for (const entry of page) yield toAuditDocument(entry);
    count += page.length;
    // Where the entries themselves run over the terminal, a line that is drawn over would run into them.
    if (!process.stdout.isTTY) output.progress(`${count} entries`);
    if (page.length < PAGE) return;
    afterId = page.at(-1)!.id;
  }
}

function toFilter({ app, since, until }: Options): Filter {
  return {
    ...(app !== undefined && { applicationId: toId('app', app) }),
    ...(since !== undefined && { since: toInstant('since', since) }),
    ...(until !== undefined && { until: toInstant('until', until) }),
  };
}

function toInstant(option: 'since' | 'until', typed: string): number {
  if (!timeSchema.safeParse(typed).success) {
    throw new UsageError(`--${option} takes a time such as 2026-01-31T08:00:00Z, or a day.`);
  }
  return Date.parse(typed);
}
