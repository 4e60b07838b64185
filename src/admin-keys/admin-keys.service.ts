import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { BrokerError } from '../errors/broker-error.js';
import { Transactions } from '../persistence/transactions.js';
import { randomToken } from '../secrets/secrets.js';
import { Clock } from '../time/clock.js';
import type { AdminKey, AdminRole } from './admin-key.js';
import { AdminKeyRepository } from './admin-key.repository.js';

/** Says whose the key is, for secret scanners, and keeps it from being taken for a session token. */
const PREFIX = 'osad_';
const KEY_BYTES = 32;
const KEY = /^osad_[A-Za-z0-9_-]{43}$/;

/** Uses closer together are recorded once: who reads every second need not write every second. */
const USE_STEP_MILLISECONDS = 60_000;

/**
 * Makes, revokes and recognises the keys of the admin API. Making and revoking is for the command line alone: whoever
 * has the machine has everything, and no caller over HTTP can give itself a key or a role.
 */
@Injectable()
export class AdminKeysService {
  constructor(
    private readonly keys: AdminKeyRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @returns the key too, which is known here and never again. */
  create(role: AdminRole, name: string | null): Promise<{ adminKey: AdminKey; key: string }> {
    const key = PREFIX + randomToken(KEY_BYTES);
    return this.transactions.run(async () => {
      const now = this.clock.now();
      const adminKey = await this.keys.insert({ name, role, keyHash: keyHash(key), now });
      await this.audit.record({ act: 'admin_key.created', details: { admin_key_id: adminKey.id, role } });
      return { adminKey, key };
    });
  }

  /** Every key that was ever made, oldest first. */
  list(): Promise<AdminKey[]> {
    return this.keys.list();
  }

  /** Refuses the key from the next request on. @returns null when there is no such key; one revoked before stays so. */
  revoke(id: number): Promise<AdminKey | null> {
    return this.transactions.run(async () => {
      if (await this.keys.revoke(id, this.clock.now())) {
        await this.audit.record({ act: 'admin_key.revoked', details: { admin_key_id: id } });
      }
      return this.keys.find(id);
    });
  }

  /**
   * The key in force that was presented. Asked of the database each time, so that a revoked one is refused at once by
   * every process.
   *
   * @throws BrokerError `invalid_admin_key`
   */
  async recognise(presented: string): Promise<AdminKey> {
    const found = KEY.test(presented) ? await this.keys.findInForce(keyHash(presented)) : null;
    if (!found) throw new BrokerError('invalid_admin_key');
    await this.noteUse(found);
    return found;
  }

  private async noteUse({ id, lastUsedAt }: AdminKey): Promise<void> {
    const now = this.clock.now();
    const staleBefore = now - USE_STEP_MILLISECONDS;
    if (lastUsedAt !== null && lastUsedAt > staleBefore) return;
    await this.transactions.runUnsynced(() => this.keys.noteUse(id, now, staleBefore));
  }
}

/** A key has full entropy: no salt and no slow hash is needed, and the time of a look-up tells nothing of use. */
function keyHash(key: string): string {
  return hash('sha256', key, 'base64url');
}
