import type { z } from 'zod';
import type { IdentityVerifier } from './identity-verifier.js';
import type { ProviderRef } from './verified-identity.js';

/** A definition as it was parsed when it was saved. */
export interface ProviderDefinition<Options> {
  readonly ref: ProviderRef;
  readonly options: Options;
}

/** What a kind's providers do unless their definition says otherwise. */
export interface KindDefaults {
  /** Whether the provider's word that an e-mail address is verified counts. */
  readonly trustedForEmail: boolean;
  /** Likewise for phone numbers. */
  readonly trustedForPhone: boolean;
}

/** A kind of identity provider: what its definitions look like, and how one becomes a verifier. */
export interface VerifierKind<Options = unknown> {
  /** `facebook`, `twitter`, `firebase`, `http`, `oidc`, `jwt`, `introspection`. */
  readonly kind: string;
  /** A slug that only this kind's providers may have, because clients know it; null: none. */
  readonly reservedSlug: string | null;
  readonly defaults: KindDefaults;
  /**
   * Parses a definition's options when it is saved, and again when it is opened. Fails closed: what is missing is a
   * fault, never "any". Faults name the place and never repeat a secret.
   */
  readonly optionsSchema: z.ZodType<Options>;
  /** Where secrets stand in the options: dotted paths, `*` for any key or index. Never read back. */
  readonly secretPaths: readonly string[];
  /** Whether a value at one of `secretPaths` is none: a template, say, that holds nothing of the operator's. */
  isPublic?(value: string): boolean;
  /** The origins that this definition's secrets are sent to. When they change, secrets have to be given anew. */
  secretDestinations(options: Options): readonly string[];
  /**
   * Every address that the server dials for this definition by the operator's will (the service's own, built into the
   * kind, aside). Refused at save where it leads into the operator's own network.
   */
  destinations(options: Options): readonly URL[];
  /** What an operator should know of these options: what weakens security, what is not usual. */
  warnings(options: Options): readonly string[];
  /** Cheap, and dials nobody: providers are opened in the middle of a sign-in. @throws only on a programming error. */
  open(definition: ProviderDefinition<Options>): IdentityVerifier;
}
