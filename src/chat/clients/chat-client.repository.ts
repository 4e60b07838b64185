import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Transactions } from '../../persistence/transactions.js';
import { Secrets } from '../../secrets/secrets.js';
import type { ChatClient } from './chat-client.js';
import type { ChatClientRow } from './chat-client.entity.js';

export const CLIENT_ADMINISTRATION = { table: 'chat_clients', column: 'administration' } as const;

/** Keeps chat clients, revoked ones too. Of a secret it has the hash; administration is encrypted on the way in. */
@Injectable()
export class ChatClientRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly secrets: Secrets,
  ) {}

  async insert(client: {
    name: string;
    applicationId: number | null;
    secretHash: string;
    now: number;
  }): Promise<ChatClient> {
    const row: Omit<ChatClientRow, 'id'> = {
      name: client.name,
      application_id: client.applicationId,
      secret_hash: client.secretHash,
      administration: null,
      created_at: client.now,
      revoked_at: null,
      last_used_at: null,
    };
    const { identifiers } = await this.rows.insert(row);
    return toChatClient({ ...row, id: (identifiers[0] as { id: number }).id });
  }

  async find(id: number): Promise<ChatClient | null> {
    const row = await this.rows.findOneBy({ id });
    return row && toChatClient(row);
  }

  /** The client in force that has this hash. */
  async findInForce(secretHash: string): Promise<ChatClient | null> {
    const row = await this.rows.findOneBy({ secret_hash: secretHash, revoked_at: IsNull() });
    return row && toChatClient(row);
  }

  /** As `findInForce`, for a read that nobody waits for: outside of whatever transaction it is started in. */
  findInForceInBackground(secretHash: string): Promise<ChatClient | null> {
    return this.transactions.outside(() => this.findInForce(secretHash));
  }

  /** Oldest first; of one application or of all. */
  async list(applicationId?: number): Promise<ChatClient[]> {
    const where = applicationId === undefined ? {} : { application_id: applicationId };
    const rows = await this.rows.find({ where, order: { id: 'ASC' } });
    return rows.map(toChatClient);
  }

  /** What is stored of how its connections are ended, in clear; null where nothing is. */
  async findAdministration(id: number): Promise<unknown> {
    const row = await this.rows.findOneBy({ id });
    if (!row || row.administration === null) return null;
    const text = this.secrets.decrypt(row.administration, { ...CLIENT_ADMINISTRATION, row: id });
    return JSON.parse(text) as unknown;
  }

  async rename(id: number, name: string): Promise<void> {
    await this.rows.update({ id }, { name });
  }

  async saveAdministration(id: number, administration: object | null): Promise<void> {
    const place = { ...CLIENT_ADMINISTRATION, row: id };
    const stored =
      administration === null ? null : this.secrets.encrypt(JSON.stringify(administration), place);
    await this.rows.update({ id }, { administration: stored });
  }

  async saveSecretHash(id: number, secretHash: string): Promise<void> {
    await this.rows.update({ id }, { secret_hash: secretHash });
  }

  /** @returns false when it is revoked already, or not there. */
  async revoke(id: number, now: number): Promise<boolean> {
    const { affected } = await this.rows.update({ id, revoked_at: IsNull() }, { revoked_at: now });
    return affected === 1;
  }

  /** Records a use unless one after `staleBefore` is recorded already. */
  async noteUse(id: number, now: number, staleBefore: number): Promise<void> {
    await this.transactions.query(
      `UPDATE chat_clients SET last_used_at = :now
       WHERE id = :id AND (last_used_at IS NULL OR last_used_at <= :staleBefore)`,
      { id, now, staleBefore },
    );
  }

  private get rows() {
    return this.transactions.manager.getRepository<ChatClientRow>('chat_clients');
  }
}

function toChatClient(row: ChatClientRow): ChatClient {
  return {
    id: row.id,
    name: row.name,
    applicationId: row.application_id,
    hasAdministration: row.administration !== null,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
