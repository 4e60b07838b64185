import type { Administration, AdministrationKind } from './administration.js';
import type { ChatDrop } from './chat-drop.js';

/** Of one delivery. */
export interface DropOptions {
  readonly signal: AbortSignal;
  /** The same for every try at the same drop, and no other's. */
  readonly id: string;
  /** When the drop was ordered, milliseconds since the epoch. */
  readonly orderedAt: number;
}

/** Ends connections at one kind of chat server, by the server's own means. */
export interface ChatDropper<Kind extends AdministrationKind = AdministrationKind> {
  readonly kind: Kind;
  /**
   * Resolves once the server has said that it is done, or that there was nothing to end. Twice does as much as once.
   *
   * @throws DeliveryError for whatever is to be tried again.
   */
  drop(
    administration: Extract<Administration, { readonly kind: Kind }>,
    drop: ChatDrop,
    options: DropOptions,
  ): Promise<void>;
}
