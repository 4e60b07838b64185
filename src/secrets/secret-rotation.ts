import type { AuditLog } from '../audit/audit-log.js';
import type { Transactions } from '../persistence/transactions.js';
import type { EncryptedColumn, EncryptedColumnsRepository } from './encrypted-columns.repository.js';
import type { Secrets } from './secrets.js';

const BATCH = 100;

/** MASTER_KEY is the operator's and holds one key: there is nothing to rotate to. */
export class NoNewKeyError extends Error {
  override readonly name = 'NoNewKeyError';
  constructor() {
    super(
      'MASTER_KEY holds one key, so there is no new one to move to. Make one (openssl rand -base64 32), put it in front of the present one (MASTER_KEY=<new>,<old>), restart every process with that, run this again, and then leave the old key out.',
    );
  }
}

export interface RotationReport {
  readonly key_id: string;
  readonly rewritten: number;
  readonly already_current: number;
}

/**
 * Puts every secret at rest under the current master key, in small transactions, beside a running server. May be
 * stopped at any point and run again: what is done stays done, and old keys are dropped only at the end.
 */
export class SecretRotation {
  constructor(
    private readonly secrets: Secrets,
    private readonly values: EncryptedColumnsRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
    private readonly columns: readonly EncryptedColumn[],
  ) {}

  /** @throws NoNewKeyError when MASTER_KEY is set and holds one key. @throws UndecipherableError on a damaged value. */
  async rotate(progress: (done: number) => void = () => undefined): Promise<RotationReport> {
    if (this.secrets.ownsItsKey) this.secrets.addKey();
    else if (this.secrets.keyCount < 2) throw new NoNewKeyError();
    let rewritten = 0;
    let alreadyCurrent = 0;
    for (const column of this.columns) {
      for (let after = 0; ;) {
        const page = await this.transactions.run(() => this.rewritePage(column, after));
        rewritten += page.rewritten;
        alreadyCurrent += page.seen - page.rewritten;
        progress(rewritten + alreadyCurrent);
        if (page.seen < BATCH) break;
        after = page.last;
      }
    }
    const details = { key_id: this.secrets.currentKeyId, rewritten };
    // Before the old key goes: without an entry the rotation is not over, and is to be run again.
    await this.audit.record({ act: 'master_key.rotated', details });
    if (this.secrets.ownsItsKey) this.secrets.retireOldKeys();
    return { key_id: this.secrets.currentKeyId, rewritten, already_current: alreadyCurrent };
  }

  private async rewritePage(column: EncryptedColumn, after: number) {
    const page = await this.values.page(column, after, BATCH);
    const stale = page.filter(({ value }) => !this.secrets.isUnderCurrentKey(value));
    for (const item of stale) {
      const place = { ...column, row: item.id };
      await this.values.replace(
        column,
        item,
        this.secrets.encrypt(this.secrets.decrypt(item.value, place), place),
      );
    }
    return { seen: page.length, rewritten: stale.length, last: page.at(-1)?.id ?? after };
  }
}
