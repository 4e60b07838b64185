import { Injectable } from '@nestjs/common';
import { Transactions } from '../persistence/transactions.js';

/** Whether this process should get requests. */
@Injectable()
export class Health {
  private stopping = false;

  constructor(private readonly transactions: Transactions) {}

  /** From here on `ready` says no, so that a load balancer turns away while requests in flight finish. */
  beginShutdown(): void {
    this.stopping = true;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  /** Asks the database for a trivial answer. */
  async isReady(): Promise<boolean> {
    if (this.stopping) return false;
    try {
      await this.transactions.manager.query('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }
}
