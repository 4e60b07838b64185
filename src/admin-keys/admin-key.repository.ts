import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Transactions } from '../persistence/transactions.js';
import type { AdminKey, AdminRole } from './admin-key.js';
import type { AdminKeyRow } from './admin-key.entity.js';

/** Keeps admin keys, revoked ones too. Of a key itself it has the hash. */
@Injectable()
export class AdminKeyRepository {
  constructor(private readonly transactions: Transactions) {}

  async insert(key: {
    name: string | null;
    role: AdminRole;
    keyHash: string;
    now: number;
  }): Promise<AdminKey> {
    const row: Omit<AdminKeyRow, 'id'> = {
      name: key.name,
      role: key.role,
      key_hash: key.keyHash,
      created_at: key.now,
      revoked_at: null,
      last_used_at: null,
    };
    const { identifiers } = await this.rows.insert(row);
    return toAdminKey({ ...row, id: (identifiers[0] as { id: number }).id });
  }

  async find(id: number): Promise<AdminKey | null> {
    const row = await this.rows.findOneBy({ id });
    return row && toAdminKey(row);
  }

  /** The key in force that has this hash. */
  async findInForce(keyHash: string): Promise<AdminKey | null> {
    const row = await this.rows.findOneBy({ key_hash: keyHash, revoked_at: IsNull() });
    return row && toAdminKey(row);
  }

  async list(): Promise<AdminKey[]> {
    const rows = await this.rows.find({ order: { id: 'ASC' } });
    return rows.map(toAdminKey);
  }

  /** @returns false when it is revoked already, or not there. */
  async revoke(id: number, now: number): Promise<boolean> {
    const { affected } = await this.rows.update({ id, revoked_at: IsNull() }, { revoked_at: now });
    return affected === 1;
  }

  /** Records a use unless one after `staleBefore` is recorded already. */
  async noteUse(id: number, now: number, staleBefore: number): Promise<void> {
    await this.transactions.query(
      `UPDATE admin_keys SET last_used_at = :now
       WHERE id = :id AND (last_used_at IS NULL OR last_used_at <= :staleBefore)`,
      { id, now, staleBefore },
    );
  }

  private get rows() {
    return this.transactions.manager.getRepository<AdminKeyRow>('admin_keys');
  }
}

function toAdminKey(row: AdminKeyRow): AdminKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
