import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { Transactions } from '../persistence/transactions.js';
import { randomToken } from '../secrets/secrets.js';
import type { Application } from './application.js';
import { ApplicationDirectory } from './application-directory.js';
import { changeSettings } from './application-settings.js';
import { ApplicationRepository } from './application.repository.js';

/** Makes and changes applications. Every change is seen by all processes within two seconds. */
@Injectable()
export class ApplicationsService {
  constructor(
    private readonly applications: ApplicationRepository,
    private readonly directory: ApplicationDirectory,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  create(name: string): Promise<Application> {
    const authKey = `ak_${randomToken(15)}`;
    return this.transactions.run(async () => {
      const application = await this.applications.insert({ name, authKey, authSecret: newAuthSecret() });
      await this.audit.record({ act: 'application.created', applicationId: application.id });
      return application;
    });
  }

  list(): Promise<Application[]> {
    return this.applications.list();
  }

  /** Up to `limit` applications with ids above `afterId`, in the order of their ids. */
  page(afterId: number, limit: number): Promise<Application[]> {
    return this.applications.page(afterId, limit);
  }

  find(id: number): Promise<Application | null> {
    return this.applications.find(id);
  }

  /**
   * Lays `changes` over the settings; null goes back to a default.
   *
   * @returns null when there is no such application. @throws SettingsError and changes nothing when any key or value
   *   is at fault.
   */
  set(id: number, changes: Readonly<Record<string, unknown>>): Promise<Application | null> {
    return this.transactions.run(async () => {
      const stored = await this.applications.settingsForChange(id);
      if (!stored) return null;
      await this.applications.saveSettings(id, changeSettings(stored, changes));
      const settings = Object.keys(changes);
      if (settings.length > 0) {
        const act = 'application.settings_changed';
        await this.audit.record({ act, applicationId: id, details: { settings } });
      }
      this.transactions.afterEnd(() => this.directory.drop(id));
      return this.applications.find(id);
    });
  }

  /**
   * Gives the application a new auth_secret; the old one is refused from then on. Sessions are kept. Joins the
   * caller's transaction.
   *
   * @returns null when there is no such application.
   */
  rotateSecret(id: number): Promise<Application | null> {
    return this.transactions.run(async () => {
      await this.applications.saveSecret(id, newAuthSecret());
      this.transactions.afterEnd(() => this.directory.drop(id));
      const application = await this.applications.find(id);
      if (application) await this.audit.record({ act: 'application.secret_rotated', applicationId: id });
      return application;
    });
  }

  /**
   * Up to which id sessions of the application are over, held until the caller's transaction ends: who ends them all
   * meanwhile comes afterwards. Null when there is no such application.
   */
  holdSessionsEndedUpTo(id: number): Promise<number | null> {
    return this.applications.holdSessionsEndedUpTo(id);
  }

  /** Sessions of the application with this id or a lower one are over. Joins the caller's transaction. */
  endSessionsUpTo(id: number, sessionId: number): Promise<void> {
    return this.transactions.run(async () => {
      await this.applications.endSessionsUpTo(id, sessionId);
      this.transactions.afterEnd(() => this.directory.drop(id));
    });
  }
}

function newAuthSecret(): string {
  return `as_${randomToken(32)}`;
}
