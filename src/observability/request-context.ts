import { ScopedStorage } from './scoped-storage.js';

/**
 * What can have done something. `user` and `application` proved themselves by a session or by keys; `client` is an app
 * that named its application with a public key, or a request whose sender is not known yet; `chat_client` is a
 * chat server that passes on what somebody presented there; `system` is the product
 * itself, which nobody asked.
 */
export type ActorKind =
  'admin_key' | 'chat_client' | 'command_line' | 'user' | 'application' | 'client' | 'system';

export interface Actor {
  readonly kind: ActorKind;
  /** The id of what `kind` names; the operating system's name of whoever typed a command. */
  readonly id: string | null;
}

/** What the log and the audit log may say about the request or command that something is part of. */
interface RequestContext {
  /** The request's id; null for a command. */
  readonly id: string | null;
  /** An IP address, or null where there is none. */
  readonly address: string | null;
  /** Who acts, as far as is known by now. */
  actor: Actor;
}

const UNIDENTIFIED: Actor = { kind: 'client', id: null };
const NO_REQUEST = { id: null, address: null };
const SYSTEM: Actor = { kind: 'system', id: null };

const storage = new ScopedStorage<RequestContext>();

/**
 * Runs `work` as part of a request whose sender is not known yet.
 *
 * @returns what to call when nothing is done for the request any more.
 */
export function runInRequest(request: { id: string; address: string | null }, work: () => void): () => void {
  return storage.runUntil({ ...request, actor: UNIDENTIFIED }, work);
}

/** Runs `work` as the doing of this actor, without a request unless one is given. */
export function runAs<T>(
  actor: Actor,
  work: () => Promise<T>,
  request: { readonly id: string | null; readonly address: string | null } = NO_REQUEST,
): Promise<T> {
  return storage.run({ id: request.id, address: request.address, actor }, work);
}

/** Says who sent the present request. For guards, once they know; does nothing outside of a request. */
export function identifyActor(kind: ActorKind, id: number): void {
  const context = storage.current;
  if (context) context.actor = { kind, id: String(id) };
}

export function currentRequest(): RequestContext | undefined {
  return storage.current;
}

/** Who acts. What runs in no context was asked for by nobody. */
export function currentActor(): Actor {
  return storage.current?.actor ?? SYSTEM;
}
