import type { ApplicationSettings } from './application-settings.js';

/** A tenant: everything else belongs to exactly one. */
export interface Application {
  readonly id: number;
  readonly name: string;
  /** Public: shipped in apps. */
  readonly authKey: string;
  /** Secret: proves the application's own backend. */
  readonly authSecret: string;
  /** In force, defaults included. */
  readonly settings: ApplicationSettings;
  /** Sessions with this id or a lower one are over. */
  readonly sessionsEndedUpTo: number;
  readonly createdAt: number;
}
