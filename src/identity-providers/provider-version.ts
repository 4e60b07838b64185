import type { Actor } from '../observability/request-context.js';

type Json = Readonly<Record<string, unknown>>;

export const versionActs = ['created', 'changed', 'enabled', 'disabled', 'rolled_back'] as const;

/** What made a version of the one before it. */
export type VersionAct = (typeof versionActs)[number];

/** What there is to know of a version without reading it. */
export interface VersionFacts {
  readonly version: number;
  readonly at: number;
  /** Null where the change was made before versions were kept. */
  readonly actor: Actor | null;
  readonly act: VersionAct;
  /** Whose content this is again, after a rollback. */
  readonly restoredVersion: number | null;
  /** RFC 6901 pointers into the definition. */
  readonly changed: readonly string[];
}

/** What one version says. Of an earlier program, perhaps: it is parsed before anything is done with it. */
export interface VersionContent {
  readonly enabled: boolean;
  /** With its secrets. */
  readonly options: Json;
  readonly policies: Json;
}

export type ProviderVersion = VersionFacts & VersionContent;
