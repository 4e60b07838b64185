import type { Transactions } from '../persistence/transactions.js';
import type { InstallationRepository } from './installation.repository.js';
import { UndecipherableError } from './key-ring.js';
import type { Secrets } from './secrets.js';

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
 * Tells a wrong master key at start, in one sentence, instead of at the first request that needs a secret.
 *
 * @throws WrongMasterKeyError
 */
export async function checkMasterKey(
  secrets: Secrets,
  installation: InstallationRepository,
  transactions: Transactions,
): Promise<void> {
  const stored =
    (await installation.findKeyCheck()) ??
    (await transactions.run(async () => {
      await installation.saveKeyCheck(secrets.encrypt(KNOWN_TEXT, PLACE));
      return installation.findKeyCheck();
    }));
  try {
    secrets.decrypt(stored!, PLACE);
  } catch (error) {
    if (!(error instanceof UndecipherableError)) throw error;
    throw new WrongMasterKeyError(secrets.ownsItsKey ? 'master.key in the data folder' : 'MASTER_KEY');
  }
}
