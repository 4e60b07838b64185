import { emptyReply, type RawOperation, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import type { ChatClient } from '../clients/chat-client.js';
import type { ChatAllowed, Verdict } from '../verdict.js';

/** One thing that a chat server of one kind asks. */
export interface ChatRoute {
  /** Below `/chat`, and below `/chat/c/{secret}` too. */
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST')[] | 'any';
  /** False: whatever body there is, is somebody else's. */
  readonly readsBody?: boolean;
  /**
   * Whose the Authorization header is: the chat server's own, or that of the user it asks about. Then the chat server
   * names itself in the path alone.
   */
  readonly authorization?: 'own' | 'of the user';
  answer(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply>;
  readonly operation?: RawOperation;
}

/** Speaks with the chat servers of one kind: what they ask in, what yes and no look like. Holds no rule. */
export interface ChatAdapter {
  readonly routes: readonly ChatRoute[];
}

/** The answer of every protocol here to what cannot be decided; all their servers then refuse. */
export const UNDECIDED_REPLY = emptyReply(503);

/** What yes and no look like in a protocol. */
export interface Words {
  readonly yes: (verdict: ChatAllowed) => RawReply;
  readonly no: RawReply;
}

/** Puts a verdict into a protocol's words, at once when it is there at once. */
export function say(verdict: Verdict | Promise<Verdict>, words: Words): RawReply | Promise<RawReply> {
  return verdict instanceof Promise
    ? verdict.then((settled) => inWords(settled, words))
    : inWords(verdict, words);
}

function inWords(verdict: Verdict, { yes, no }: Words): RawReply {
  if (verdict.verdict === 'allow') return yes(verdict);
  return verdict.verdict === 'deny' ? no : UNDECIDED_REPLY;
}
