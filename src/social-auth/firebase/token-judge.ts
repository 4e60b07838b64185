import type { TokenOrigin } from './firebase-token-shape.js';

/** Whoever says whether an ID token is genuine: Google's certificates, or an emulator. */
export interface TokenJudge {
  /** What its tokens look like. */
  readonly origin: TokenOrigin;
  /**
   * @returns the claims of a token that is genuine, not over, of the definition's project and, where that is to be
   *   asked, not revoked.
   * @throws BrokerError as `IdentityVerifier.verify`.
   */
  judge(idToken: string, signal: AbortSignal): Promise<unknown>;
}
