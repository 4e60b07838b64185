import { Injectable } from '@nestjs/common';
import { ApplicationsService } from '../../applications/applications.service.js';
import { AuditLog } from '../../audit/audit-log.js';
import { BrokerError } from '../../errors/broker-error.js';
import { Transactions } from '../../persistence/transactions.js';
import { Secrets } from '../../secrets/secrets.js';
import { Clock } from '../../time/clock.js';
import {
  administrationSchema,
  parseAdministration,
  shownAdministration,
  type ShownAdministration,
} from '../endings/administration.js';
import type { ChatClient } from './chat-client.js';
import { ChatClientDirectory } from './chat-client-directory.js';
import { chatClientSecretHash, newChatClientSecret } from './chat-client-secret.js';
import { ChatClientRepository } from './chat-client.repository.js';

const FINGERPRINT_PURPOSE = 'chat client administration';
const FINGERPRINT_CHARACTERS = 12;

export interface NewChatClient {
  readonly name: string;
  /** Null: may ask about the users of every application. */
  readonly applicationId: number | null;
  /** How its live connections are ended; null: not at all. */
  readonly administration: unknown;
}

export interface ChatClientChanges {
  readonly name?: string;
  /** Null takes it away. */
  readonly administration?: unknown;
}

/** A client, and its secret, which is known here and never again. */
export interface ChatClientWithSecret {
  readonly client: ChatClient;
  readonly secret: string;
}

/** Makes, changes, revokes and recognises chat clients. Every change is seen by all processes within two seconds. */
@Injectable()
export class ChatClientsService {
  constructor(
    private readonly clients: ChatClientRepository,
    private readonly directory: ChatClientDirectory,
    private readonly applications: ApplicationsService,
    private readonly secrets: Secrets,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws BrokerError `application_not_found`; `validation_failed` for an administration at fault. */
  async create({ name, applicationId, administration }: NewChatClient): Promise<ChatClientWithSecret> {
    const parsed = administration === null ? null : parseAdministration(administration);
    const secret = newChatClientSecret();
    return this.transactions.run(async () => {
      if (applicationId !== null && !(await this.applications.find(applicationId)))
        throw new BrokerError('application_not_found');
      const secretHash = chatClientSecretHash(secret);
      const now = this.clock.now();
      const { id } = await this.clients.insert({ name, applicationId, secretHash, now });
      // The ciphertext is bound to the row's id, which exists only now.
      if (parsed !== null) await this.clients.saveAdministration(id, parsed);
      await this.audit.record({ act: 'chat_client.created', applicationId, details: { chat_client_id: id } });
      return { client: (await this.clients.find(id))!, secret };
    });
  }

  /** Every client that was ever made, oldest first; those of one application, or all. */
  list(applicationId?: number): Promise<ChatClient[]> {
    return this.clients.list(applicationId);
  }

  find(id: number): Promise<ChatClient | null> {
    return this.clients.find(id);
  }

  /** How its live connections are ended, secrets in clear: for whoever ends them. Null where that is not known. */
  findAdministrationInClear(id: number): Promise<unknown> {
    return this.clients.findAdministration(id);
  }

  /** The same for people, secrets as fingerprints. */
  async findShownAdministration(id: number): Promise<ShownAdministration | null> {
    const parsed = administrationSchema.safeParse(await this.clients.findAdministration(id));
    return parsed.success ? shownAdministration(parsed.data, (secret) => this.fingerprint(secret)) : null;
  }

  /** @returns null when there is no such client. @throws BrokerError `validation_failed` */
  async change(id: number, changes: ChatClientChanges): Promise<ChatClient | null> {
    const { name, administration } = changes;
    const parsed =
      administration === undefined || administration === null
        ? administration
        : parseAdministration(administration);
    return this.changing(id, async (client) => {
      if (name !== undefined) await this.clients.rename(id, name);
      if (parsed !== undefined) await this.clients.saveAdministration(id, parsed);
      const fields = [
        ...(name === undefined ? [] : ['name']),
        ...(parsed === undefined ? [] : ['administration']),
      ];
      if (fields.length === 0) return;
      const { applicationId } = client;
      await this.audit.record({
        act: 'chat_client.changed',
        applicationId,
        details: { chat_client_id: id, fields },
      });
    });
  }

  setAdministration(id: number, administration: unknown): Promise<ChatClient | null> {
    return this.change(id, { administration });
  }

  /** Gives the client a new secret; the old one is refused from then on. @returns null when there is no such client. */
  async rotateSecret(id: number): Promise<ChatClientWithSecret | null> {
    const secret = newChatClientSecret();
    const client = await this.changing(id, async ({ applicationId }) => {
      await this.clients.saveSecretHash(id, chatClientSecretHash(secret));
      const details = { chat_client_id: id };
      await this.audit.record({ act: 'chat_client.secret_rotated', applicationId, details });
    });
    return client && { client, secret };
  }

  /** Refuses the client for good. @returns null when there is no such client; one revoked before stays so. */
  revoke(id: number): Promise<ChatClient | null> {
    return this.changing(id, async ({ applicationId }) => {
      if (!(await this.clients.revoke(id, this.clock.now()))) return;
      const details = { chat_client_id: id };
      await this.audit.record({ act: 'chat_client.revoked', applicationId, details });
    });
  }

  /** As `ChatClientDirectory.recognise`. */
  recognise(secret: string): ChatClient | null | Promise<ChatClient | null> {
    return this.directory.recognise(secret);
  }

  private fingerprint(secret: string): string {
    return this.secrets.macs(FINGERPRINT_PURPOSE, secret)[0]!.slice(0, FINGERPRINT_CHARACTERS);
  }

  private changing(id: number, change: (client: ChatClient) => Promise<void>): Promise<ChatClient | null> {
    return this.transactions.run(async () => {
      const client = await this.clients.find(id);
      if (!client) return null;
      await change(client);
      this.transactions.afterEnd(() => this.directory.clear());
      return this.clients.find(id);
    });
  }
}
