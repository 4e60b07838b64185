import type { ProviderRef } from '../identity/verified-identity.js';
import type { Policies } from './provider-policies.js';

/** A provider instance of an application, as it is stored. */
export interface IdentityProvider extends ProviderRef {
  readonly enabled: boolean;
  /** With its secrets. Parsed by its kind whenever it is opened. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly policies: Policies;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What tells whether anything that is kept in memory is still so. */
export type ProviderState = Pick<IdentityProvider, 'id' | 'version' | 'enabled'>;
