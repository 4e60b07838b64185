import { text } from 'node:stream/consumers';
import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';
import { ApplicationsService } from '../applications/applications.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { IdentityProvidersService } from '../identity-providers/identity-providers.service.js';
import {
  definitionSchema,
  replacementSchema,
  type ProviderDocument,
} from '../identity-providers/provider-definition.js';
import { inputError } from '../http/input.js';
import { RehearsalService } from '../session/rehearsal/rehearsal.service.js';
import { toRehearsalDocument } from '../session/rehearsal/rehearsal-document.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { list, plain, table, UsageError, type Output } from './output.js';
import { readDefinition } from './provider-file.js';
import { rehearsalPicture } from './rehearsal-picture.js';

interface OfApp {
  readonly app: string;
}
interface Named extends OfApp {
  readonly provider: string;
}
interface WithFile {
  readonly file: string;
}

export function addProvidersCommands(program: Command, output: Output): void {
  const providers = program.command('providers').description('identity providers of an application');
  const show = (document: ProviderDocument): void => {
    for (const warning of document.warnings) output.note(`warning: ${warning}`);
    output.result(document, shown);
  };

  providers
    .command('create')
    .description('add an identity provider, defined in a YAML or JSON file')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--file <path>', 'the definition; - for standard input')
    .action(async ({ app, file }: OfApp & WithFile) => {
      const given = definitionSchema.safeParse(await readDefinition(file));
      if (!given.success) throw faultsOf(inputError(given.error.issues));
      show(await using(app, (service, id) => service.create(id, given.data)));
    });

  providers
    .command('list')
    .description('the identity providers of an application')
    .requiredOption('--app <id>', 'application_id')
    .action(async ({ app }: OfApp) => {
      const items = await using(app, (service, id) => service.list(id));
      output.result({ items }, () =>
        table(
          ['slug', 'kind', 'enabled', 'version', 'warnings'],
          items.map((item) => [
            item.slug,
            item.kind,
            plain(item.enabled),
            String(item.version),
            String(item.warnings.length),
          ]),
        ),
      );
    });

  providers
    .command('show')
    .description('one identity provider, its secrets as fingerprints')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .action(async ({ app, provider }: Named) => {
      show(await using(app, (service, id) => service.show(id, provider)));
    });

  providers
    .command('set')
    .description(
      'replace the definition; secrets that are left out stay, unless what they are sent to changes',
    )
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .requiredOption('--file <path>', 'the definition; - for standard input')
    .action(async ({ app, provider, file }: Named & WithFile) => {
      const given = replacementSchema.safeParse(await readDefinition(file));
      if (!given.success) throw faultsOf(inputError(given.error.issues));
      show(await using(app, (service, id) => service.replace(id, provider, given.data)));
    });

  for (const [name, enabled, description] of [
    ['enable', true, 'let people sign in with it again'],
    ['disable', false, 'let nobody sign in with it; links and sessions stay'],
  ] as const) {
    providers
      .command(name)
      .description(description)
      .requiredOption('--app <id>', 'application_id')
      .requiredOption('--provider <slug>', 'its slug')
      .action(async ({ app, provider }: Named) => {
        show(await using(app, (service, id) => service.setEnabled(id, provider, enabled)));
      });
  }

  addVersionCommands(providers, output, show);

  providers
    .command('test')
    .description('do everything that a sign-in does, tell it step by step, and write nothing')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .option(
      '--credential <json>',
      'what a client would present, as JSON; read from standard input where it is left out, which other users of this machine cannot see',
    )
    .action(async ({ app, provider, credential }: Named & { credential?: string }) => {
      const presented = parseCredential(credential ?? (await text(process.stdin)));
      const document = await usingInstallation(app, async (installation, id) => {
        const rehearsals = installation.get(RehearsalService, { strict: false });
        return toRehearsalDocument(await rehearsals.rehearse(id, provider, presented));
      });
      output.result(document, rehearsalPicture);
      // For scripts that watch a mapping.
      if (document.verdict === 'refused') process.exitCode = 1;
    });

  providers
    .command('delete')
    .description('remove it with all its links to users; another one of the same name inherits none')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .action(async ({ app, provider }: Named) => {
      await using(app, (service, id) => service.remove(id, provider));
      output.result(
        { application_id: Number(app), slug: provider },
        () => 'It is gone, and its links with it.',
      );
    });
}

/** @throws UsageError for what is no JSON object. */
function parseCredential(json: string): unknown {
  try {
    const credential: unknown = JSON.parse(json);
    if (typeof credential === 'object' && credential !== null && !Array.isArray(credential))
      return credential;
  } catch {
    // As for JSON of another type.
  }
  throw new UsageError('The credential has to be a JSON object, such as {"token":"…"}.');
}

function addVersionCommands(
  providers: Command,
  output: Output,
  show: (document: ProviderDocument) => void,
): void {
  providers
    .command('versions')
    .description('what its definition was, the latest version first')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .action(async ({ app, provider }: Named) => {
      const items = await using(app, (service, id) => service.listVersions(id, provider));
      output.result({ items }, () =>
        table(
          ['version', 'at', 'by', 'act', 'changed'],
          items.map((item) => [
            `${item.version}${item.present ? ' *' : ''}`,
            item.at,
            item.actor_kind === null ? 'unknown' : [item.actor_kind, item.actor_id ?? ''].join(' ').trim(),
            item.restored_version === null ? item.act : `${item.act} to ${item.restored_version}`,
            item.changed.join(' '),
          ]),
        ),
      );
    });

  providers
    .command('compare')
    .description('where two versions of its definition differ, secrets as fingerprints')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .requiredOption('--from <version>', 'the one before')
    .requiredOption('--to <version>', 'the one after')
    .action(async ({ app, provider, from, to }: Named & { from: string; to: string }) => {
      const [before, after] = [toId('from', from), toId('to', to)];
      const compared = await using(app, (service, id) =>
        service.compareVersions(id, provider, before, after),
      );
      const valueOf = (value: unknown) => (value === undefined ? '' : JSON.stringify(value));
      output.result(compared, ({ items }) =>
        table(
          ['path', 'before', 'after'],
          items.map((item) => [item.path, valueOf(item.from), valueOf(item.to)]),
          (cell, column) => output.coloured(cell, ([null, 'red', 'green'] as const)[column] ?? null),
        ),
      );
    });

  providers
    .command('rollback')
    .description('make an earlier version of its definition a new one, secrets included')
    .requiredOption('--app <id>', 'application_id')
    .requiredOption('--provider <slug>', 'its slug')
    .requiredOption('--to <version>', 'whose content is to be in force again')
    .action(async ({ app, provider, to }: Named & { to: string }) => {
      const version = toId('to', to);
      show(await using(app, (service, id) => service.rollBack(id, provider, version)));
    });
}

function using<T>(
  app: string,
  work: (service: IdentityProvidersService, applicationId: number) => Promise<T>,
): Promise<T> {
  return usingInstallation(app, (installation, id) =>
    work(installation.get(IdentityProvidersService, { strict: false }), id),
  );
}

async function usingInstallation<T>(
  app: string,
  work: (installation: INestApplicationContext, applicationId: number) => Promise<T>,
): Promise<T> {
  const id = toId('app', app);
  return withInstallation(async (installation: INestApplicationContext) => {
    if (!(await installation.get(ApplicationsService, { strict: false }).find(id))) {
      throw new UsageError(`There is no application ${app}. "apps list" shows those there are.`);
    }
    try {
      return await work(installation, id);
    } catch (error) {
      throw error instanceof BrokerError ? faultsOf(error) : error;
    }
  });
}

/** What a person at the keyboard can do about it. */
function faultsOf(error: BrokerError): Error {
  switch (error.code) {
    case 'validation_failed': {
      const faults = (error.errors ?? []).map(({ pointer, detail }) => `  - ${pointer || '/'}: ${detail}`);
      return new UsageError(`Nothing was changed:\n${faults.join('\n')}`);
    }
    case 'too_many_requests':
      return new UsageError('This application has had many tests in the last minute. Wait a minute.');
    case 'identity_provider_misconfigured':
      return new UsageError(
        'The stored definition cannot be opened. "providers show" says what is wrong with it.',
      );
    case 'identity_provider_not_found':
      return new UsageError('The application has no such identity provider. "providers list" shows its own.');
    case 'identity_provider_version_not_found':
      return new UsageError(
        'The identity provider has no such version. "providers versions" shows those it has.',
      );
    case 'busy':
      return new UsageError(
        'Somebody else has changed the identity provider meanwhile. Nothing was changed.',
      );
    case 'slug_taken':
      return new UsageError('The application has an identity provider with this slug already.');
    default:
      return error;
  }
}

function shown({ options, policies, warnings: _, ...facts }: ProviderDocument): string {
  return [Object.entries(facts), Object.entries(options), Object.entries(policies)]
    .filter((entries) => entries.length > 0)
    .map((entries) => list(entries))
    .join('\n\n');
}
