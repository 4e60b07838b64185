import { Injectable } from '@nestjs/common';
import type { Application } from '../applications/application.js';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ChatClientGuard } from '../chat/clients/chat-client.guard.js';
import type { ChatClient } from '../chat/clients/chat-client.js';
import { sameSecret } from '../secrets/secrets.js';

/** Who may ask about tokens and end them: a chat server, or the backend of an application. */
export type OAuthCaller =
  | { readonly kind: 'chat_client'; readonly client: ChatClient }
  | { readonly kind: 'application'; readonly application: Application };

/** Knows them by their Authorization header (RFC 6749 §2.3.1, RFC 6750 §2.1). */
@Injectable()
export class OAuthCallers {
  constructor(
    private readonly chatClients: ChatClientGuard,
    private readonly applications: ApplicationDirectory,
  ) {}

  /** @returns null for whoever is not known. */
  async recognise(header: string | undefined): Promise<OAuthCaller | null> {
    const client = await this.chatClients.byHeader(header);
    if (client) return { kind: 'chat_client', client };
    const application = await this.applicationOf(header);
    return application && { kind: 'application', application };
  }

  /** By HTTP Basic with auth_key and auth_secret. */
  private async applicationOf(header: string | undefined): Promise<Application | null> {
    if (header?.slice(0, 6).toLowerCase() !== 'basic ') return null;
    const decoded = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon < 1) return null;
    const application = await this.applications.findByAuthKey(decoded.slice(0, colon));
    // Compared even when there is nothing to compare with, so that the time does not tell which keys exist.
    const matches = sameSecret(decoded.slice(colon + 1), application?.authSecret ?? '');
    return matches ? application : null;
  }
}
