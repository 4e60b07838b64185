import type { DefinitionChange } from './definition-changes.js';
import type { IdentityProvider } from './identity-provider.js';
import type { VersionContent, VersionFacts } from './provider-version.js';

/** A version as it is handed out, by the command line and over HTTP alike: what is known of it without its content. */
export function toVersionFactsDocument(facts: VersionFacts, { version: present }: IdentityProvider) {
  return {
    version: facts.version,
    present: facts.version === present,
    at: new Date(facts.at).toISOString(),
    actor_kind: facts.actor?.kind ?? null,
    actor_id: facts.actor?.id ?? null,
    act: facts.act,
    restored_version: facts.restoredVersion,
    changed: facts.changed,
  };
}

/** @param content with fingerprints for its secrets. */
export function toVersionDocument(facts: VersionFacts, content: VersionContent, provider: IdentityProvider) {
  const { applicationId, slug, kind } = provider;
  const { enabled, options, policies } = content;
  return {
    application_id: applicationId,
    slug,
    kind,
    ...toVersionFactsDocument(facts, provider),
    enabled,
    options,
    policies,
  };
}

export function toComparisonDocument(
  { applicationId, slug }: IdentityProvider,
  from: number,
  to: number,
  items: readonly DefinitionChange[],
) {
  return { application_id: applicationId, slug, from, to, items };
}

export type VersionFactsDocument = ReturnType<typeof toVersionFactsDocument>;
export type VersionDocument = ReturnType<typeof toVersionDocument>;
export type ComparisonDocument = ReturnType<typeof toComparisonDocument>;
