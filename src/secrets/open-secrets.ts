import { existsSync } from 'node:fs';
import type { SecretsConfig } from '../config/config.js';
import type { Transactions } from '../persistence/transactions.js';
import type { InstallationRepository } from './installation.repository.js';
import { UndecipherableError } from './key-ring.js';
import { Secrets } from './secrets.js';

/** There is a database, and the file with the key of its secrets is gone. */
export class MissingMasterKeyError extends Error {
  override readonly name = 'MissingMasterKeyError';
  constructor(keyFile: string) {
    super(
      `The database has secrets, and the file with their key is not there (${keyFile}). Put it back from a backup, or set MASTER_KEY; without the key they cannot be read.`,
    );
  }
}

/** The configured master key cannot read what this database holds. */
export class WrongMasterKeyError extends Error {
  override readonly name = 'WrongMasterKeyError';
  constructor(where: string) {
    super(
      `The master key (${where}) is not the one this database's secrets were encrypted with. Put the right key back; without it they cannot be read.`,
    );
  }
}

const PLACE = { table: 'installation', row: 1, column: 'key_check' };
const KNOWN_TEXT = 'ostiary';

/**
 * Opens the secrets with the configured key, or with one made now for a database that has none yet. A wrong or lost
 * key is told at start, in one sentence, and not at the first request that needs a secret.
 *
 * @throws WrongMasterKeyError, MissingMasterKeyError
 */
export async function openSecrets(
  config: SecretsConfig,
  installation: InstallationRepository,
  transactions: Transactions,
): Promise<Secrets> {
  const known = await installation.findKeyCheck();
  // A key made now could read nothing, and would lie where the right one has to be put.
  if (known !== null && config.masterKeys === null && !existsSync(config.keyFile)) {
    throw new MissingMasterKeyError(config.keyFile);
  }
  const secrets = new Secrets(config);
  const stored =
    known ??
    (await transactions.run(async () => {
      await installation.saveKeyCheck(secrets.encrypt(KNOWN_TEXT, PLACE));
      return installation.findKeyCheck();
    }));
  try {
    secrets.decrypt(stored!, PLACE);
    return secrets;
  } catch (error) {
    if (!(error instanceof UndecipherableError)) throw error;
    throw new WrongMasterKeyError(secrets.ownsItsKey ? 'master.key in the data folder' : 'MASTER_KEY');
  }
}
