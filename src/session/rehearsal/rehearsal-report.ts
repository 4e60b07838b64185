import type { TracedCheck, TracedExchange, TracedMapping } from '../../observability/verification-trace.js';
import type { User } from '../../accounts/user.js';
import type { ErrorCode } from '../../errors/error-catalog.js';
import type { ProviderRef, VerifiedIdentity } from '../../identity/verified-identity.js';

/** A request to the provider as people may see it. Lengths of stretches in milliseconds; null: not walked. */
export interface ReportedExchange extends Pick<
  TracedExchange,
  'purpose' | 'request' | 'dialled' | 'failure'
> {
  readonly milliseconds: TracedExchange['timings'];
  readonly response:
    | (Pick<NonNullable<TracedExchange['response']>, 'status' | 'headers'> & {
        readonly body: string;
        /** Of the whole body, of which only the beginning may be shown. */
        readonly bytes: number;
      })
    | null;
}

/** Everything that happened in a rehearsed sign-in, and what would have come of it. */
export interface RehearsalReport {
  readonly provider: ProviderRef & { readonly enabled: boolean };
  readonly exchanges: readonly ReportedExchange[];
  readonly checks: readonly TracedCheck[];
  readonly mapping: readonly TracedMapping[];
  /** Null when the provider did not prove anybody. */
  readonly identity: Omit<VerifiedIdentity, 'provider' | 'oneTime'> | null;
  /** Which user it would be; null where nobody would get in. */
  readonly linking: {
    readonly decision: 'known' | 'link' | 'create';
    /** Null for a user who would be created. */
    readonly userId: number | null;
    readonly user: User;
  } | null;
  /** Why a sign-in would be refused; null: it would not. */
  readonly refusal: { readonly code: ErrorCode; readonly reason: string | null } | null;
  readonly totalMilliseconds: number;
}
