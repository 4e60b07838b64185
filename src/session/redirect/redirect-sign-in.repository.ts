import { Injectable } from '@nestjs/common';
import { Transactions } from '../../persistence/transactions.js';
import { Secrets } from '../../secrets/secrets.js';
import type { RedirectSignInRow } from './redirect-sign-in.entity.js';

/** What both legs of a browser sign-in have in common. */
interface Journey {
  readonly applicationId: number;
  readonly providerId: number;
  readonly sessionId: number | null;
  readonly redirectUri: string;
  readonly clientState: string | null;
  readonly codeChallenge: string;
}

/** With what `T` is until it is looked at: the provider's leg, or the identity. */
export interface RedirectSignIn<T> extends Journey {
  readonly sealed: T;
}

/**
 * Keeps browser sign-ins for the minutes they take. What is sealed is bound to its row and encrypted under the key
 * ring; a rotation does not rewrite it, as the previous key stays longer than these rows do.
 */
@Injectable()
export class RedirectSignInRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly secrets: Secrets,
  ) {}

  /** @throws the driver's unique violation when the state was used before. */
  async insert<T>(stateHash: string, journey: RedirectSignIn<T>, expiresAt: number): Promise<void> {
    await this.rows.insert({
      state_hash: stateHash,
      ...toColumns(journey),
      sealed: this.seal(stateHash, journey.sealed),
      code_hash: null,
      expires_at: expiresAt,
    });
  }

  /** Takes the row of a browser that is back: of two callbacks with one state, the second finds nothing. */
  take<T>(stateHash: string, now: number): Promise<RedirectSignIn<T> | null> {
    return this.removeWhere<T>('state_hash = :hash AND code_hash IS NULL', stateHash, now);
  }

  /** Keeps what the browser brought back, under a one-time code. */
  async keep<T>(codeHash: string, journey: RedirectSignIn<T>, expiresAt: number): Promise<void> {
    await this.rows.insert({
      state_hash: codeHash,
      ...toColumns(journey),
      sealed: this.seal(codeHash, journey.sealed),
      code_hash: codeHash,
      expires_at: expiresAt,
    });
  }

  /** Takes what a code stands for. Once. */
  takeByCode<T>(codeHash: string, now: number): Promise<RedirectSignIn<T> | null> {
    return this.removeWhere<T>('code_hash = :hash', codeHash, now);
  }

  /** @returns how many; fewer than `limit` when there are no more. */
  async removeLapsed(now: number, limit: number): Promise<number> {
    const rows = await this.transactions.query(
      `DELETE FROM redirect_sign_ins WHERE state_hash IN
         (SELECT state_hash FROM redirect_sign_ins WHERE expires_at < :now ORDER BY expires_at LIMIT :limit)
       RETURNING state_hash`,
      { now, limit },
    );
    return rows.length;
  }

  private async removeWhere<T>(
    condition: string,
    hash: string,
    now: number,
  ): Promise<RedirectSignIn<T> | null> {
    const rows = await this.transactions.query<RedirectSignInRow>(
      `DELETE FROM redirect_sign_ins WHERE ${condition} RETURNING *`,
      { hash },
    );
    const row = rows[0];
    if (!row || Number(row.expires_at) < now) return null;
    return {
      applicationId: row.application_id,
      providerId: row.provider_id,
      sessionId: row.session_id === null ? null : Number(row.session_id),
      redirectUri: row.redirect_uri,
      clientState: row.client_state,
      codeChallenge: row.code_challenge,
      sealed: JSON.parse(this.secrets.decrypt(row.sealed, placeOf(row.state_hash))) as T,
    };
  }

  private seal(stateHash: string, value: unknown): string {
    return this.secrets.encrypt(JSON.stringify(value), placeOf(stateHash));
  }

  private get rows() {
    return this.transactions.manager.getRepository<RedirectSignInRow>('redirect_sign_ins');
  }
}

function toColumns(journey: Journey) {
  return {
    application_id: journey.applicationId,
    provider_id: journey.providerId,
    session_id: journey.sessionId,
    redirect_uri: journey.redirectUri,
    client_state: journey.clientState,
    code_challenge: journey.codeChallenge,
  };
}

/** The row's key is a hash; 48 bits of it bind a value to its row. */
function placeOf(stateHash: string) {
  const row = Buffer.from(stateHash, 'base64url').readUIntBE(0, 6);
  return { table: 'redirect_sign_ins', row, column: 'sealed' };
}
