/** One request to a provider, as it went over the wire. Nothing in it is masked yet. */
export interface TracedExchange {
  /** What it was for, in the protocol's words: `discovery`, `keys`, `token`, `userinfo`, `introspection`, `identity`. */
  readonly purpose: string;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
  /** The socket's other end; null when none was reached. */
  readonly dialled: {
    readonly address: string;
    readonly port: number;
    /** Null without TLS. */
    readonly tls: { readonly protocol: string; readonly subject: string; readonly issuer: string } | null;
  } | null;
  /** Milliseconds, each of its own stretch; null for a stretch that was not walked. */
  readonly timings: {
    readonly dns: number | null;
    readonly connect: number | null;
    readonly tls: number | null;
    readonly firstByte: number | null;
    readonly total: number;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
  } | null;
  /** Why there is no complete answer: a fixed text of ours, or an errno; null when there is one. */
  readonly failure: string | null;
}

/** One field of a mapping. */
export interface TracedMapping {
  /** Of the user: `uid`, `email`, `attributes.plan`, … */
  readonly target: string;
  /** As the operator wrote it. */
  readonly template: string;
  readonly value: unknown;
  /** `string`, `number`, `list`, … ; null where nothing was found. */
  readonly type: string | null;
  readonly verdict: 'taken' | 'absent' | 'refused';
  /** Why it was refused, in words for the operator; null otherwise. */
  readonly reason: string | null;
}

/** A check that a verifier makes. */
export interface TracedCheck {
  /** In the protocol's words: `signature`, `iss`, `aud`, `exp`, `nonce`, `active`, … */
  readonly name: string;
  readonly passed: boolean;
  /** What was expected and what was found, in words for the operator; without secrets. */
  readonly detail: string;
}

/**
 * Somebody who watches one sign-in, step by step: the test tool. Verifiers tell it what they do as they do it, and do
 * nothing else for it. Whoever implements it masks secrets and credentials; those who call it need not.
 */
export interface VerificationTrace {
  exchange(exchange: TracedExchange): void;
  mapping(mapping: TracedMapping): void;
  check(check: TracedCheck): void;
}
