import { Injectable } from '@nestjs/common';
import { signatureHeaders, signingKey } from '../../outbound/webhook-signature.js';
import { Clock } from '../../time/clock.js';
import { AdministrationCall } from './administration-call.js';
import type { WebhookAdministration } from './administration.js';
import type { ChatDrop } from './chat-drop.js';
import type { ChatDropper, DropOptions } from './chat-dropper.js';

/** A receiver's way to say that it has no use for it: nothing is left to be ended there. */
const GONE = 410;

export interface ChatEvent {
  readonly type: 'session.ended' | 'user.disabled';
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * For any other chat server: somebody's own program, which is told and does the rest. Signed as Standard Webhooks 1.0 has
 * it; the id is the same however often delivery is tried.
 */
@Injectable()
export class WebhookDropper implements ChatDropper<'webhook'> {
  readonly kind = 'webhook';

  constructor(
    private readonly administration: AdministrationCall,
    private readonly clock: Clock,
  ) {}

  /** One event for each session, and one without a session for the account's password. */
  async drop(administration: WebhookAdministration, drop: ChatDrop, options: DropOptions): Promise<void> {
    const { application_id, user_id, user_name: username, session_ids, with_password, reason } = drop;
    for (const session_id of [...session_ids, ...(with_password ? [null] : [])]) {
      const data = { application_id, user_id, username, session_id, reason };
      const id = `${options.id}.${session_id ?? 'password'}`;
      await this.tell(administration, { type: 'session.ended', data }, { ...options, id });
    }
  }

  /** @throws DeliveryError as `drop`. */
  async tell(
    { url, secret }: WebhookAdministration,
    { type, data }: ChatEvent,
    { id, orderedAt, signal }: DropOptions,
  ): Promise<void> {
    const body = JSON.stringify({ type, timestamp: new Date(orderedAt).toISOString(), data });
    const signature = signatureHeaders(signingKey(secret)!, body, this.clock.now(), id);
    const headers = { 'content-type': 'application/json', ...signature };
    await this.administration.send({ method: 'POST', url: new URL(url), headers, body, signal }, [GONE]);
  }
}
