import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import type { Application } from '../applications/application.js';
import { parseSettingText, settingWarnings, SettingsError } from '../applications/application-settings.js';
import { ApplicationsService } from '../applications/applications.service.js';
import { Transactions } from '../persistence/transactions.js';
import { SessionService } from '../session/session.service.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { list, table, UsageError, type Output } from './output.js';

interface Named {
  readonly app: string;
}

const MAX_NAME = 100;

export function addAppsCommands(program: Command, output: Output): void {
  const apps = program.command('apps').description('applications (tenants), their keys and settings');

  apps
    .command('create')
    .description('make an application; prints its keys')
    .requiredOption('--name <name>', 'for people; need not be unique')
    .action(async ({ name }: { name: string }) => {
      if (name.trim() === '' || name.length > MAX_NAME) {
        throw new UsageError(`--name must have 1 to ${MAX_NAME} characters.`);
      }
      const application = await withInstallation((app) => app.get(ApplicationsService).create(name));
      output.result(withSecret(application), show);
    });

  apps
    .command('list')
    .description('all applications')
    .action(async () => {
      const applications = await withInstallation((app) => app.get(ApplicationsService).list());
      output.result({ items: applications.map(withoutSecret) }, ({ items }) =>
        table(
          ['application_id', 'name', 'auth_key'],
          items.map((item) => [String(item.application_id), item.name, item.auth_key]),
        ),
      );
    });

  apps
    .command('show')
    .description('one application: its keys and the settings in force')
    .requiredOption('--app <id>', 'application_id')
    .action(async ({ app }: Named) => {
      const application = await withInstallation((installation) => find(installation, app));
      output.result(withSecret(application), show);
    });

  apps
    .command('set')
    .description('change settings, each as key=value; the value "default" goes back to the default')
    .requiredOption('--app <id>', 'application_id')
    .argument('<key=value...>')
    .action(async (pairs: string[], { app }: Named) => {
      const changes = parsePairs(pairs);
      const application = await withInstallation((installation) => set(installation, app, changes));
      for (const warning of settingWarnings(changes)) output.note(`warning: ${warning}`);
      output.result(withoutSecret(application), show);
    });

  apps
    .command('rotate-secret')
    .description('give the application a new auth_secret; the old one is refused within two seconds')
    .requiredOption('--app <id>', 'application_id')
    .option('--end-sessions', 'also end every session of the application')
    .action(async ({ app, endSessions }: Named & { endSessions?: boolean }) => {
      const application = await withInstallation((installation) =>
        rotate(installation, app, endSessions === true),
      );
      output.result(withSecret(application), show);
    });

  apps
    .command('end-sessions')
    .description('end every session of the application')
    .requiredOption('--app <id>', 'application_id')
    .action(async ({ app }: Named) => {
      await withInstallation((installation) => endSessions(installation, app));
      output.result({ application_id: Number(app) }, () => 'Its sessions are over.');
    });
}

async function find(installation: INestApplicationContext, app: string): Promise<Application> {
  return (await installation.get(ApplicationsService).find(toId('app', app))) ?? noSuch(app);
}

async function set(
  installation: INestApplicationContext,
  app: string,
  changes: Record<string, unknown>,
): Promise<Application> {
  try {
    return (await installation.get(ApplicationsService).set(toId('app', app), changes)) ?? noSuch(app);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new UsageError(`Nothing was changed:\n${error.faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

async function rotate(
  installation: INestApplicationContext,
  app: string,
  endSessions: boolean,
): Promise<Application> {
  const id = toId('app', app);
  return installation.get(Transactions).run(async () => {
    const application = (await installation.get(ApplicationsService).rotateSecret(id)) ?? noSuch(app);
    if (endSessions) await installation.get(SessionService).endAllOfApplication(id);
    return application;
  });
}

async function endSessions(installation: INestApplicationContext, app: string): Promise<void> {
  const id = toId('app', app);
  if (!(await installation.get(ApplicationsService).find(id))) noSuch(app);
  await installation.get(SessionService).endAllOfApplication(id);
}

function noSuch(app: string): never {
  throw new UsageError(`There is no application ${app}. "apps list" shows those there are.`);
}

function parsePairs(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new UsageError(`"${pair}" is not of the form key=value.`);
      const key = pair.slice(0, equals);
      return [key, parseSettingText(key, pair.slice(equals + 1))];
    }),
  );
}

function withoutSecret({ id, name, authKey, settings }: Application) {
  return { application_id: id, name, auth_key: authKey, settings };
}

function withSecret(application: Application) {
  const { settings, ...keys } = withoutSecret(application);
  return { ...keys, auth_secret: application.authSecret, settings };
}

function show({ settings, ...keys }: ReturnType<typeof withoutSecret>): string {
  return `${list(Object.entries(keys))}\n\n${list(Object.entries(settings))}`;
}
