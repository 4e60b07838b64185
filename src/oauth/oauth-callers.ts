import { Injectable } from '@nestjs/common';
import type { Application } from '../applications/application.js';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ChatClientGuard } from '../chat/clients/chat-client.guard.js';
import type { ChatClient } from '../chat/clients/chat-client.js';
import { readBasic } from '../http/authorization.js';

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
    const credentials = readBasic(header);
    return credentials && this.applications.authenticate(credentials.user, credentials.password);
  }
}
