import { Injectable } from '@nestjs/common';
import { Clock } from '../time/clock.js';
import { Transactions } from '../persistence/transactions.js';
import type { InstallationRow } from './installation.entity.js';

const ONLY_ROW = 1;

/** Keeps the value that only the right master key can read. */
@Injectable()
export class InstallationRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  async findKeyCheck(): Promise<string | null> {
    const row = await this.transactions.manager
      .getRepository<InstallationRow>('installation')
      .findOneBy({ id: ONLY_ROW });
    return row?.key_check ?? null;
  }

  /** Stores the value unless another process was first. */
  async saveKeyCheck(keyCheck: string): Promise<void> {
    await this.transactions.manager
      .createQueryBuilder()
      .insert()
      .into('installation')
      .values({ id: ONLY_ROW, key_check: keyCheck, created_at: this.clock.now() })
      .orIgnore()
      .execute();
  }
}
