import { ScopedStorage } from './scoped-storage.js';

/** What every line of the log may say about the request it belongs to. */
interface RequestContext {
  readonly id: string;
}

const storage = new ScopedStorage<RequestContext>();

/** Runs `work` as part of a request. @returns what to call when the request is answered. */
export function runInRequest(context: RequestContext, work: () => void): () => void {
  return storage.runUntil(context, work);
}

export function currentRequest(): RequestContext | undefined {
  return storage.current;
}
