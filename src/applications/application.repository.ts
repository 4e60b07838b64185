import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import { Transactions } from '../persistence/transactions.js';
import { Secrets } from '../secrets/secrets.js';
import { Clock } from '../time/clock.js';
import type { ApplicationRow } from './application.entity.js';
import { type ApplicationSettings, applicationSettingsSchema } from './application-settings.js';
import type { Application } from './application.js';

export const AUTH_SECRET = { table: 'applications', column: 'auth_secret' } as const;

/** Keeps applications; their secrets are encrypted on the way in and decrypted on the way out. */
@Injectable()
export class ApplicationRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
  ) {}

  async insert(application: { name: string; authKey: string; authSecret: string }): Promise<Application> {
    const now = this.clock.now();
    const row: Omit<ApplicationRow, 'id'> = {
      name: application.name,
      auth_key: application.authKey,
      auth_secret: '',
      settings: '{}',
      sessions_ended_up_to: 0,
      created_at: now,
      updated_at: now,
    };
    const { identifiers } = await this.rows.insert(row);
    const id = (identifiers[0] as { id: number }).id;
    // The ciphertext is bound to the row's id, which exists only now.
    await this.saveSecret(id, application.authSecret);
    return this.toApplication({ ...row, id, auth_secret: this.sealed(id, application.authSecret) });
  }

  async find(id: number): Promise<Application | null> {
    const row = await this.rows.findOneBy({ id });
    return row && this.toApplication(row);
  }

  /** As `find`, for a read that nobody waits for: outside of whatever transaction it is started in. */
  findInBackground(id: number): Promise<Application | null> {
    return this.transactions.outside(() => this.find(id));
  }

  async findByAuthKey(authKey: string): Promise<Application | null> {
    const row = await this.rows.findOneBy({ auth_key: authKey });
    return row && this.toApplication(row);
  }

  async list(): Promise<Application[]> {
    const rows = await this.rows.find({ order: { id: 'ASC' } });
    return rows.map((row) => this.toApplication(row));
  }

  async page(afterId: number, limit: number): Promise<Application[]> {
    const rows = await this.rows.find({
      where: { id: MoreThan(afterId) },
      order: { id: 'ASC' },
      take: limit,
    });
    return rows.map((row) => this.toApplication(row));
  }

  /** Every origin that any application allows. */
  async listAllowedOrigins(): Promise<Set<string>> {
    const rows = await this.transactions.query<{ settings: string }>('SELECT settings FROM applications');
    return new Set(rows.flatMap(({ settings }) => parseSettings(settings).allowed_origins));
  }

  /** The stored differences from the defaults, locked against another change until the transaction ends. */
  async settingsForChange(id: number): Promise<Record<string, unknown> | null> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR UPDATE' : '';
    const rows = await this.transactions.query<{ settings: string }>(
      `SELECT settings FROM applications WHERE id = :id ${lock}`,
      { id },
    );
    return rows[0] ? (JSON.parse(rows[0].settings) as Record<string, unknown>) : null;
  }

  async saveSettings(id: number, settings: Record<string, unknown>): Promise<void> {
    await this.rows.update({ id }, { settings: JSON.stringify(settings), updated_at: this.clock.now() });
  }

  async saveSecret(id: number, authSecret: string): Promise<void> {
    await this.rows.update(
      { id },
      { auth_secret: this.sealed(id, authSecret), updated_at: this.clock.now() },
    );
  }

  /** Moves the mark forward, never back. */
  async endSessionsUpTo(id: number, sessionId: number): Promise<void> {
    await this.transactions.query(
      'UPDATE applications SET sessions_ended_up_to = :sessionId WHERE id = :id AND sessions_ended_up_to < :sessionId',
      { id, sessionId },
    );
  }

  /** The mark as it is and stays until the transaction ends; null when there is no such application. */
  async holdSessionsEndedUpTo(id: number): Promise<number | null> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR SHARE' : '';
    const rows = await this.transactions.query<{ mark: number }>(
      `SELECT sessions_ended_up_to AS mark FROM applications WHERE id = :id ${lock}`,
      { id },
    );
    return rows[0]?.mark ?? null;
  }

  private sealed(id: number, authSecret: string): string {
    return this.secrets.encrypt(authSecret, { ...AUTH_SECRET, row: id });
  }

  private get rows() {
    return this.transactions.manager.getRepository<ApplicationRow>('applications');
  }

  private toApplication(row: ApplicationRow): Application {
    return {
      id: row.id,
      name: row.name,
      authKey: row.auth_key,
      authSecret: this.secrets.decrypt(row.auth_secret, { ...AUTH_SECRET, row: row.id }),
      settings: parseSettings(row.settings),
      sessionsEndedUpTo: row.sessions_ended_up_to,
      createdAt: row.created_at,
    };
  }
}

function parseSettings(stored: string): ApplicationSettings {
  return applicationSettingsSchema.parse(JSON.parse(stored));
}
