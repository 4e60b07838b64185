#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { addAppsCommands } from './cli/apps.commands.js';
import { addConfigCommands } from './cli/config.commands.js';
import { addDatabaseCommands } from './cli/database.commands.js';
import { Output } from './cli/output.js';
import { addSecretsCommands } from './cli/secrets.commands.js';
import { sayWhatStopped } from './start-failure.js';
import { PRODUCT_VERSION } from './version.js';

const program = new Command('ostiary')
  .description(
    'Administers an Ostiary installation. Works beside a running server, which sees changes within two seconds.',
  )
  .version(PRODUCT_VERSION)
  .option('--json', 'print one JSON document on stdout and nothing else there')
  .showHelpAfterError('(add --help for what can be given)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

const output = new Output(() => program.opts<{ json?: boolean }>().json === true);
addAppsCommands(program, output);
addSecretsCommands(program, output);
addDatabaseCommands(program, output);
addConfigCommands(program, output);
// `--json` is taken wherever it stands.
allowJsonEverywhere(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = output.failed(error, sayWhatStopped);
}

function allowJsonEverywhere(command: Command): void {
  for (const inner of command.commands) {
    inner.option('--json', 'print one JSON document on stdout and nothing else there');
    inner.on('option:json', () => program.setOptionValue('json', true));
    inner.exitOverride();
    allowJsonEverywhere(inner);
  }
}
