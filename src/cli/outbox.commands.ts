import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import { OutboxDesk } from '../outbox/outbox-desk.js';
import { toOutboxDocument, type OutboxDocument } from '../outbox/outbox-document.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { list, table, UsageError, type Output } from './output.js';

/** As many as anybody reads; the admin API has all of them, page by page. */
const MOST_LISTED = 1000;

export function addOutboxCommands(program: Command, output: Output): void {
  const outbox = program.command('outbox').description('what is to be told to others, such as chat servers');

  outbox
    .command('list')
    .description(`messages that are not delivered yet or were given up, oldest first, ${MOST_LISTED} at most`)
    .option('--failed', 'only those that were given up')
    .action(async ({ failed }: { failed?: boolean }) => {
      const filter = { isFailed: failed === true, afterId: 0, limit: MOST_LISTED };
      const entries = await withInstallation((app) => deskOf(app).list(filter));
      output.result({ items: entries.map(toOutboxDocument) }, ({ items }) => toTable(items));
    });

  outbox
    .command('retry')
    .description('try a message now, or every one that was given up')
    .option('--message <id>', 'this one alone, as "outbox list" names it')
    .option('--all', 'every message that was given up')
    .action(async ({ message, all }: { message?: string; all?: boolean }) => {
      if ((message === undefined) === (all === undefined)) throw new UsageError('Give --message or --all.');
      if (message === undefined) {
        const retried = await withInstallation((app) => deskOf(app).retryAll());
        output.result({ retried }, (document) => list(Object.entries(document)));
        return;
      }
      const id = toId('message', message);
      const entry = await withInstallation((app) => deskOf(app).retry(id));
      if (!entry)
        throw new UsageError(`There is no message ${message}: it was delivered, or never was there.`);
      output.result(toOutboxDocument(entry), (document) => list(Object.entries(document)));
    });
}

function deskOf(app: INestApplicationContext): OutboxDesk {
  return app.get(OutboxDesk, { strict: false });
}

function toTable(items: readonly OutboxDocument[]): string {
  return table(
    ['message_id', 'topic', 'target', 'state', 'attempts', 'last_error', 'created_at', 'due_at'],
    items.map((item) => [
      String(item.message_id),
      item.topic,
      item.target,
      item.state,
      String(item.attempts),
      item.last_error ?? '-',
      item.created_at,
      item.due_at ?? '-',
    ]),
  );
}
