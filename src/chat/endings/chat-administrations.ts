import { Injectable } from '@nestjs/common';
import { DeliveryError } from '../../outbox/outbox-topic.js';
import { ChatClientsService } from '../clients/chat-clients.service.js';
import { administrationSchema, type Administration } from './administration.js';

/** How the chat servers that may ask are administered, for whoever ends connections there. */
@Injectable()
export class ChatAdministrations {
  constructor(private readonly clients: ChatClientsService) {}

  /**
   * Of a client that was revoked, too: it may ask no more, and whom it let in before is there.
   *
   * @returns null where it is not known how: nothing can be ended there. @throws DeliveryError for one that this version
   *   cannot read.
   */
  async of(chatClientId: number): Promise<Administration | null> {
    const stored = await this.clients.findAdministrationInClear(chatClientId);
    if (stored === null) return null;
    const parsed = administrationSchema.safeParse(stored);
    if (!parsed.success) throw new DeliveryError('administration_unreadable', true);
    return parsed.data;
  }

  /** The clients in force that may ask about the application's users, and are administered. */
  async clientsOf(applicationId: number): Promise<number[]> {
    const clients = await this.clients.list();
    return clients
      .filter((client) => client.revokedAt === null && client.hasAdministration)
      .filter((client) => client.applicationId === null || client.applicationId === applicationId)
      .map(({ id }) => id);
  }
}
