import type { Command } from 'commander';
import { toChatClientDocument, type ChatClientDocument } from '../chat/clients/chat-client-document.js';
import { ChatClientsService } from '../chat/clients/chat-clients.service.js';
import type { ChatClient } from '../chat/clients/chat-client.js';
import { BrokerError } from '../errors/broker-error.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { list, plain, table, UsageError, type Output } from './output.js';
import { readDefinition } from './provider-file.js';

const MAX_NAME = 100;

interface OfClient {
  readonly client: string;
}

export function addChatClientsCommands(program: Command, output: Output): void {
  const clients = program.command('chat-clients').description('chat servers that may ask who may log in');
  const show = (document: ChatClientDocument): void => {
    if (document.administration === null && document.revoked_at === null)
      output.note('Live connections of this chat server are not ended: it has no administration.');
    output.result(document, shown);
  };

  clients
    .command('create')
    .description('let a chat server ask; its secret is printed here and never again')
    .requiredOption('--name <name>', 'for people')
    .option('--app <id>', 'application_id; left out: it may ask about the users of every application')
    .option('--file <path>', 'how its live connections are ended, in YAML or JSON; - for standard input')
    .action(async ({ name, app, file }: { name: string; app?: string; file?: string }) => {
      const label = toName(name);
      const applicationId = app === undefined ? null : toId('app', app);
      const administration = file === undefined ? null : await readDefinition(file);
      const { client, secret } = await using((service) =>
        service.create({ name: label, applicationId, administration }),
      );
      const { id: chat_client_id, applicationId: application_id } = client;
      const document = { chat_client_id, name: client.name, application_id, secret };
      output.result(document, () => list(Object.entries(document)));
    });

  clients
    .command('list')
    .description('all chat clients, revoked ones too')
    .option('--app <id>', 'only those of this application_id')
    .action(async ({ app }: { app?: string }) => {
      const applicationId = app === undefined ? undefined : toId('app', app);
      const items = await using(async (service) => {
        const all = await service.list(applicationId);
        return Promise.all(all.map((client) => documentOf(service, client)));
      });
      output.result({ items }, () =>
        table(
          ['chat_client_id', 'name', 'application_id', 'administration', 'last_used_at', 'revoked_at'],
          items.map((item) => [
            String(item.chat_client_id),
            item.name,
            String(item.application_id ?? 'all'),
            plain(item.administration?.['kind'] ?? 'none'),
            item.last_used_at ?? '',
            item.revoked_at ?? '',
          ]),
        ),
      );
    });

  clients
    .command('show')
    .description('one chat client')
    .requiredOption('--client <id>', 'chat_client_id')
    .action(async ({ client }: OfClient) => {
      show(await usingOne(client, (service, id) => service.find(id)));
    });

  clients
    .command('set')
    .description('rename a chat client, or say how its live connections are ended')
    .requiredOption('--client <id>', 'chat_client_id')
    .option('--name <name>', 'for people')
    .option(
      '--file <path>',
      'how its live connections are ended, in YAML or JSON (null: not at all); - for standard input',
    )
    .action(async ({ client, name, file }: OfClient & { name?: string; file?: string }) => {
      if (name === undefined && file === undefined) throw new UsageError('Give --name or --file.');
      const changes = {
        ...(name !== undefined && { name: toName(name) }),
        ...(file !== undefined && { administration: await readDefinition(file) }),
      };
      show(await usingOne(client, (service, id) => service.change(id, changes)));
    });

  clients
    .command('rotate-secret')
    .description('give a chat client a new secret; the old one is refused within two seconds')
    .requiredOption('--client <id>', 'chat_client_id')
    .action(async ({ client }: OfClient) => {
      const id = toId('client', client);
      const rotated = await using((service) => service.rotateSecret(id));
      if (!rotated) throw unknown(client);
      const document = { chat_client_id: id, name: rotated.client.name, secret: rotated.secret };
      output.result(document, () => list(Object.entries(document)));
    });

  clients
    .command('revoke')
    .description('refuse a chat client for good, within two seconds')
    .requiredOption('--client <id>', 'chat_client_id')
    .action(async ({ client }: OfClient) => {
      show(await usingOne(client, (service, id) => service.revoke(id)));
    });
}

async function usingOne(
  typed: string,
  work: (service: ChatClientsService, id: number) => Promise<ChatClient | null>,
): Promise<ChatClientDocument> {
  const id = toId('client', typed);
  return using(async (service) => {
    const client = await work(service, id);
    if (!client) throw unknown(typed);
    return documentOf(service, client);
  });
}

async function documentOf(service: ChatClientsService, client: ChatClient): Promise<ChatClientDocument> {
  const administration = client.hasAdministration ? await service.findShownAdministration(client.id) : null;
  return toChatClientDocument(client, administration);
}

function using<T>(work: (service: ChatClientsService) => Promise<T>): Promise<T> {
  return withInstallation(async (installation) => {
    try {
      return await work(installation.get(ChatClientsService, { strict: false }));
    } catch (error) {
      throw error instanceof BrokerError ? faultsOf(error) : error;
    }
  });
}

/** What a person at the keyboard can do about it. */
function faultsOf(error: BrokerError): Error {
  if (error.code === 'application_not_found')
    return new UsageError('There is no such application. "apps list" shows those there are.');
  if (error.code !== 'validation_failed') return error;
  const faults = (error.errors ?? []).map(({ pointer, detail }) => `  - ${pointer || '/'}: ${detail}`);
  return new UsageError(`Nothing was changed:\n${faults.join('\n')}`);
}

function unknown(typed: string): UsageError {
  return new UsageError(`There is no chat client ${typed}. "chat-clients list" shows those there are.`);
}

function toName(name: string): string {
  if (name.trim() === '' || name.length > MAX_NAME)
    throw new UsageError(`--name must have 1 to ${MAX_NAME} characters.`);
  return name;
}

function shown({ administration, ...facts }: ChatClientDocument): string {
  const parts = [Object.entries(facts), ...(administration ? [Object.entries(administration)] : [])];
  return parts.map((entries) => list(entries)).join('\n\n');
}
