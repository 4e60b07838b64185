import { Injectable } from '@nestjs/common';
import type { ChatClient } from './chat-client.js';
import { ChatClientDirectory } from './chat-client-directory.js';

/** Knows chat servers by what they say of themselves in a request. */
@Injectable()
export class ChatClientGuard {
  constructor(private readonly directory: ChatClientDirectory) {}

  /**
   * By an Authorization header: the secret as bearer token (RFC 6750 §2.1), or HTTP Basic with the chat client's id and
   * the secret (RFC 7617). No promise when the client is in memory.
   *
   * @returns null for whoever is not known.
   */
  byHeader(header: string | undefined): ChatClient | null | Promise<ChatClient | null> {
    if (header === undefined) return null;
    const scheme = header.slice(0, 7).toLowerCase();
    if (scheme === 'bearer ') return this.directory.recognise(header.slice(7).trim());
    return scheme.startsWith('basic ') ? this.byBasic(header.slice(6)) : null;
  }

  /** By the secret alone, for those that can say it only in a path. @returns as `byHeader`. */
  bySecret(secret: string | undefined): ChatClient | null | Promise<ChatClient | null> {
    return secret === undefined ? null : this.directory.recognise(secret);
  }

  private byBasic(encoded: string): ChatClient | null | Promise<ChatClient | null> {
    const decoded = Buffer.from(encoded.trim(), 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon < 1) return null;
    const id = decoded.slice(0, colon);
    const isTheirs = (client: ChatClient | null) =>
      client !== null && String(client.id) === id ? client : null;
    const recognised = this.directory.recognise(decoded.slice(colon + 1));
    return recognised instanceof Promise ? recognised.then(isTheirs) : isTheirs(recognised);
  }
}
