import type { Application } from '../applications/application.js';

/** Who asks: which application, from where, and whether its own backend proved itself with the auth_secret. */
export interface Client {
  readonly application: Application;
  /** The address tries are counted by. */
  readonly address: string;
  readonly isServer: boolean;
}
