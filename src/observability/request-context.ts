import { AsyncLocalStorage } from 'node:async_hooks';

/** What every line of the log may say about the request it belongs to. */
interface RequestContext {
  readonly id: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

export function runInRequest(context: RequestContext, work: () => void): void {
  storage.run(context, work);
}

export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}
