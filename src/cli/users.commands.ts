import type { Command } from 'commander';
import { BrokerError } from '../errors/broker-error.js';
import { UserStatusService } from '../session/user-status.service.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { list, UsageError, type Output } from './output.js';

interface Named {
  readonly app: string;
  readonly user: string;
}

export function addUsersCommands(program: Command, output: Output): void {
  const users = program.command('users').description('users of an application');

  for (const [name, disabled, description] of [
    ['disable', true, 'keep a user from signing in, and end all their sessions'],
    ['enable', false, 'let a disabled user sign in again'],
  ] as const) {
    users
      .command(name)
      .description(description)
      .requiredOption('--app <id>', 'application_id')
      .requiredOption('--user <id>', 'user_id')
      .action(async (named: Named) => {
        const userId = await setDisabled(named, disabled);
        output.result({ user_id: userId, disabled }, (document) => list(Object.entries(document)));
      });
  }
}

async function setDisabled({ app, user }: Named, disabled: boolean): Promise<number> {
  const [applicationId, userId] = [toId('app', app), toId('user', user)];
  try {
    await withInstallation((installation) =>
      installation.get(UserStatusService).setDisabled(applicationId, userId, disabled),
    );
    return userId;
  } catch (error) {
    if (!(error instanceof BrokerError) || error.code !== 'user_not_found') throw error;
    throw new UsageError(`There is no user ${user} in application ${app}.`);
  }
}
