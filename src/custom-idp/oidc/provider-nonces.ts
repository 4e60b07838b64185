import { createHash } from 'node:crypto';
import type { IssuedNonce } from '../../identity/identity-verifier.js';
import type { OneTimeUse, ProviderRef } from '../../identity/verified-identity.js';
import { randomToken, sameSecret, type Secrets } from '../../secrets/secrets.js';
import type { Clock } from '../../time/clock.js';

const PURPOSE = 'identity provider nonce';
/** From the button that is pressed to the token that is presented. */
const LIFETIME_SECONDS = 10 * 60;
/** Servers' clocks differ: a nonce is remembered for as long as any of them may take it. */
const SKEW_SECONDS = 60;

const FORM = /^(\d{10,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/**
 * Nonces of one provider: `expiry.random.mac`. Every process can tell its own from those that somebody made up or was
 * given for another provider or application, and nothing has to be stored until one is used.
 */
export class ProviderNonces {
  private readonly owner: string;

  constructor(
    { id, applicationId }: ProviderRef,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
  ) {
    this.owner = `${applicationId}/${id}`;
  }

  issue(): IssuedNonce {
    const expiry = Math.floor(this.clock.now() / 1000) + LIFETIME_SECONDS;
    const fresh = `${expiry}.${randomToken(16)}`;
    return { nonce: `${fresh}.${this.macs(fresh)[0]!}`, expiresAt: new Date(expiry * 1000) };
  }

  /** @returns what makes it a nonce for one use; null for what is none of ours, or is not any more. */
  spend(nonce: unknown): OneTimeUse | null {
    const [, expiry, random, mac] = typeof nonce === 'string' ? (FORM.exec(nonce) ?? []) : [];
    if (expiry === undefined || mac === undefined || this.clock.now() >= Number(expiry) * 1000) return null;
    const isOurs = () => this.macs(`${expiry}.${random}`).some((ours) => sameSecret(ours, mac));
    // Another process may have changed the key meanwhile.
    if (!isOurs() && !(this.secrets.refresh() && isOurs())) return null;
    return {
      id: createHash('sha256')
        .update(`nonce:${nonce as string}`)
        .digest('hex'),
      expiresAt: new Date((Number(expiry) + SKEW_SECONDS) * 1000),
    };
  }

  private macs(text: string): readonly string[] {
    return this.secrets.macs(PURPOSE, `${this.owner}\0${text}`);
  }
}
