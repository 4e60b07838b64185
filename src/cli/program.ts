import { Command } from 'commander';
import { PRODUCT_VERSION } from '../version.js';
import { addAdminKeysCommands } from './admin-keys.commands.js';
import { addAppsCommands } from './apps.commands.js';
import { addAuditCommands } from './audit.commands.js';
import { addChatExtauthCommand } from './chat-extauth.command.js';
import { addChatClientsCommands } from './chat-clients.commands.js';
import { addConfigCommands } from './config.commands.js';
import { addDatabaseCommands } from './database.commands.js';
import { addJobsCommands } from './jobs.commands.js';
import { Output } from './output.js';
import { addOutboxCommands } from './outbox.commands.js';
import { addProvidersCommands } from './providers.commands.js';
import { addSecretsCommands } from './secrets.commands.js';
import { addUsersCommands } from './users.commands.js';

/** The `ostiary` command with everything that can follow it. Opens nothing until it is told to parse. */
export function buildProgram(): { readonly program: Command; readonly output: Output } {
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
  addUsersCommands(program, output);
  addAdminKeysCommands(program, output);
  addChatClientsCommands(program, output);
  addAuditCommands(program, output);
  addProvidersCommands(program, output);
  addChatExtauthCommand(program, output);
  addSecretsCommands(program, output);
  addDatabaseCommands(program, output);
  addJobsCommands(program, output);
  addOutboxCommands(program, output);
  addConfigCommands(program, output);
  allowJsonEverywhere(program, program);
  return { program, output };
}

/** `--json` is taken wherever it stands. */
function allowJsonEverywhere(program: Command, command: Command): void {
  for (const inner of command.commands) {
    inner.option('--json', 'print one JSON document on stdout and nothing else there');
    inner.on('option:json', () => program.setOptionValue('json', true));
    inner.exitOverride();
    allowJsonEverywhere(program, inner);
  }
}
