import type { OutboxMessage } from './outbox-message.js';

/** `again`: a part is done, and the message comes round at once for the rest. */
export type Delivered = 'done' | 'again';

/** A kind of messages, and who delivers them. */
export interface OutboxTopic {
  /** Also the label of its metrics. Lower case, hyphens and points, 64 characters at most. */
  readonly name: string;
  /**
   * Delivers a message. It may be called again for one that was delivered (a process that died in between), so the
   * effect of twice is that of once, or the other side can tell by the message's id.
   *
   * @param options.signal aborted when the time for it is over, which counts as a failure.
   * @throws DeliveryError with the word that is kept; any other error is logged and kept as `internal_error`.
   */
  deliver(message: OutboxMessage, options: { readonly signal: AbortSignal }): Promise<Delivered>;
}

/** Why a message was not delivered. It is tried again later. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  /**
   * @param word of ours, 64 characters at most: it is stored and shown to operators. Never what the other side wrote.
   * @param isTargetAtFault whether the next message to the same target would fare no better: it is left alone for a
   *   moment then.
   */
  constructor(
    readonly word: string,
    readonly isTargetAtFault: boolean,
    options?: ErrorOptions,
  ) {
    super(word, options);
  }
}
