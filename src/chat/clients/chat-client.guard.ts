import { Injectable } from '@nestjs/common';
import { readBasic, readBearer, type BasicCredentials } from '../../http/authorization.js';
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
    const secret = readBearer(header);
    if (secret !== null) return this.directory.recognise(secret);
    const credentials = readBasic(header);
    return credentials && this.byBasic(credentials);
  }

  /** By the secret alone, for those that can say it only in a path. @returns as `byHeader`. */
  bySecret(secret: string | undefined): ChatClient | null | Promise<ChatClient | null> {
    return secret === undefined ? null : this.directory.recognise(secret);
  }

  private byBasic({ user, password }: BasicCredentials): ChatClient | null | Promise<ChatClient | null> {
    const isTheirs = (client: ChatClient | null) =>
      client !== null && String(client.id) === user ? client : null;
    const recognised = this.directory.recognise(password);
    return recognised instanceof Promise ? recognised.then(isTheirs) : isTheirs(recognised);
  }
}
