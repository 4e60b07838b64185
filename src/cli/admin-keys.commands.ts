import type { Command } from 'commander';
import { adminRoles, type AdminKey, type AdminRole } from '../admin-keys/admin-key.js';
import { AdminKeysService } from '../admin-keys/admin-keys.service.js';
import { toId } from './ids.js';
import { withInstallation } from './installation.js';
import { list, table, UsageError, type Output } from './output.js';

const MAX_NAME = 100;

export function addAdminKeysCommands(program: Command, output: Output): void {
  const keys = program.command('admin-keys').description('keys of the admin API');

  keys
    .command('create')
    .description('make a key; it is printed here and never again')
    .requiredOption('--role <role>', adminRoles.join(', '))
    .option('--name <name>', 'for people')
    .action(async ({ role, name }: { role: string; name?: string }) => {
      const [known, label] = [toRole(role), toName(name)];
      const { adminKey, key } = await withInstallation((app) =>
        app.get(AdminKeysService).create(known, label),
      );
      const document = { admin_key_id: adminKey.id, name: adminKey.name, role: adminKey.role, key };
      output.result(document, () => list(Object.entries(document)));
    });

  keys
    .command('list')
    .description('all keys, revoked ones too')
    .action(async () => {
      const all = await withInstallation((app) => app.get(AdminKeysService).list());
      output.result({ items: all.map(toDocument) }, ({ items }) =>
        table(
          ['admin_key_id', 'name', 'role', 'created_at', 'last_used_at', 'revoked_at'],
          items.map((item) => [
            String(item.admin_key_id),
            item.name ?? '',
            item.role,
            item.created_at,
            item.last_used_at ?? '',
            item.revoked_at ?? '',
          ]),
        ),
      );
    });

  keys
    .command('revoke')
    .description('refuse a key from the next request on')
    .requiredOption('--key <id>', 'admin_key_id')
    .action(async ({ key }: { key: string }) => {
      const id = toId('key', key);
      const revoked = await withInstallation((app) => app.get(AdminKeysService).revoke(id));
      if (!revoked)
        throw new UsageError(`There is no admin key ${key}. "admin-keys list" shows those there are.`);
      output.result(toDocument(revoked), (document) => list(Object.entries(document)));
    });
}

function toRole(role: string): AdminRole {
  const known = adminRoles.find((word) => word === role);
  if (!known) throw new UsageError(`--role takes one of ${adminRoles.join(', ')}.`);
  return known;
}

function toName(name: string | undefined): string | null {
  if (name === undefined) return null;
  if (name.trim() === '' || name.length > MAX_NAME)
    throw new UsageError(`--name must have 1 to ${MAX_NAME} characters.`);
  return name;
}

function toDocument({ id, name, role, createdAt, lastUsedAt, revokedAt }: AdminKey) {
  return {
    admin_key_id: id,
    name,
    role,
    created_at: new Date(createdAt).toISOString(),
    last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
    revoked_at: revokedAt === null ? null : new Date(revokedAt).toISOString(),
  };
}
