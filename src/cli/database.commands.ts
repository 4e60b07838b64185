import type { Command } from 'commander';
import { loadConfig } from '../config/config.loader.js';
import { migrate } from '../persistence/migrator.js';
import { Stores } from '../persistence/stores.js';
import { rows } from '../rows.js';
import type { Output } from './output.js';

export function addDatabaseCommands(program: Command, output: Output): void {
  program
    .command('migrate')
    .description('bring the database up to this version; the server does the same when it starts')
    .action(async () => {
      const stores = Stores.of(loadConfig().database, rows);
      try {
        const applied = await migrate(stores);
        output.result({ applied }, (document) =>
          document.applied.length === 0
            ? 'Up to date.'
            : document.applied.map((name) => `applied  ${name}`).join('\n'),
        );
      } finally {
        await stores.close();
      }
    });
}
