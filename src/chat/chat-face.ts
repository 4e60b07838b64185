import {
  emptyReply,
  type RawFace,
  type RawReply,
  type RawRequest,
  type RawRoute,
} from '../http/raw/raw-routes.js';
import { UNDECIDED_REPLY, type ChatAdapter, type ChatRoute } from './adapters/chat-adapter.js';
import type { ChatClientGuard } from './clients/chat-client.guard.js';
import type { ChatClient } from './clients/chat-client.js';

const PREFIX = '/chat';
const ROOTED_PREFIX = '/_matrix-internal';

/** RFC 9110 §11.6.1 wants a challenge. It says what would be taken, and nothing of what was sent. */
const STRANGER = emptyReply(401, { 'www-authenticate': 'Bearer realm="ostiary chat"' });

/**
 * The routes of all adapters, each asked only by chat clients: by the Authorization header, or by a secret in the path
 * (`/chat/c/{secret}/…`) where a chat server can send none or the header is the user's own.
 *
 * @param rooted is asked at the root as well, where its server cannot be told another path.
 */
export function chatFaces(
  adapters: readonly ChatAdapter[],
  rooted: ChatAdapter,
  guard: ChatClientGuard,
): readonly RawFace[] {
  const byHeader = (route: ChatRoute, path: string) =>
    guarded(route, path, ({ headers }) =>
      route.authorization === 'of the user' ? null : guard.byHeader(headers.authorization),
    );
  const byPath = ({ operation: _, ...route }: ChatRoute) =>
    guarded(route, `${PREFIX}/c/:secret${route.path}`, ({ parameters }) =>
      guard.bySecret(parameters['secret']),
    );
  const routes = adapters.flatMap((adapter) => adapter.routes);
  return [
    {
      prefix: PREFIX,
      routes: [...routes.map((route) => byHeader(route, PREFIX + route.path)), ...routes.map(byPath)],
    },
    { prefix: ROOTED_PREFIX, routes: rooted.routes.map((route) => byHeader(route, route.path)) },
  ];
}

function guarded(
  route: ChatRoute,
  path: string,
  recognise: (request: RawRequest) => ChatClient | null | Promise<ChatClient | null>,
): RawRoute {
  const answerTo = (request: RawRequest, client: ChatClient | null): RawReply | Promise<RawReply> =>
    client === null ? STRANGER : route.answer(request, client);
  return {
    path,
    methods: route.methods,
    readsBody: route.readsBody ?? true,
    failure: UNDECIDED_REPLY,
    ...(route.operation && { operation: route.operation }),
    answer: (request) => {
      const client = recognise(request);
      return client instanceof Promise
        ? client.then((known) => answerTo(request, known))
        : answerTo(request, client);
    },
  };
}
