import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DeliveryError } from '../../outbox/outbox-topic.js';
import { AdministrationCall, basicHeader, below, type AdministrationAnswer } from './administration-call.js';
import type { RabbitmqAdministration } from './administration.js';
import type { ChatDrop } from './chat-drop.js';
import type { ChatDropper, DropOptions } from './chat-dropper.js';

const NOT_FOUND = 404;

/** What is used of an item of `GET /api/connections/username/{user}`. */
const connectionsSchema = z.array(z.looseObject({ name: z.string(), vhost: z.string().optional() }));

/** Shown to whoever is disconnected, in the protocol's own words. */
const REASON = 'The session has ended';

/**
 * RabbitMQ's management API (3.10.8 and later), as a user with the tag `administrator`. `/api/connections/username/…` is
 * answered from the table of live connections; `/api/connections` from statistics that are seconds old. RabbitMQ cannot
 * tell which session opened what: every connection of the user is closed, AMQP, MQTT and STOMP alike.
 */
@Injectable()
export class RabbitmqDropper implements ChatDropper<'rabbitmq'> {
  readonly kind = 'rabbitmq';

  constructor(private readonly administration: AdministrationCall) {}

  async drop(administration: RabbitmqAdministration, drop: ChatDrop, { signal }: DropOptions) {
    // RabbitMQ knows users by the name that was typed; ours are let in by the plain one alone.
    const path = `/api/connections/username/${encodeURIComponent(drop.user_name)}`;
    if (administration.vhosts === undefined) await this.close(administration, path, signal);
    else await this.closeWithin(administration, administration.vhosts, path, signal);
  }

  private async closeWithin(
    administration: RabbitmqAdministration,
    vhosts: readonly string[],
    path: string,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.call('GET', administration, path, signal);
    if (answer.status === NOT_FOUND) return;
    const connections = connectionsOf(answer);
    const isWithin = ({ vhost }: { readonly vhost?: string | undefined }) =>
      vhost === undefined || vhosts.includes(vhost);
    const within = connections.filter(isWithin);
    if (within.length === 0) return;
    if (within.length === connections.length) return this.close(administration, path, signal);
    let areKnown = true;
    for (const { name } of within) {
      const connection = `/api/connections/${encodeURIComponent(name)}`;
      const { status } = await this.call('DELETE', administration, connection, signal);
      if (status === NOT_FOUND) areKnown = false;
    }
    // By name RabbitMQ finds a connection in its statistics alone, which are seconds late: one that was listed and is not found
    // may have gone by itself, or may not be there yet.
    if (!areKnown) throw new DeliveryError('connection_not_found', false);
  }

  private async close(
    administration: RabbitmqAdministration,
    path: string,
    signal: AbortSignal,
  ): Promise<void> {
    await this.call('DELETE', administration, path, signal);
  }

  /** 404 in RabbitMQ's own words is an answer: there is no such connection (any more). */
  private async call(
    method: 'GET' | 'DELETE',
    { url, user, password }: RabbitmqAdministration,
    path: string,
    signal: AbortSignal,
  ): Promise<AdministrationAnswer> {
    const headers = { authorization: basicHeader(user, password), 'x-reason': REASON };
    const answer = await this.administration.send({ method, url: below(url, path), headers, signal }, [
      NOT_FOUND,
    ]);
    // Anybody's 404 would be one for a wrong address, too.
    if (answer.status === NOT_FOUND && !isObjectNotFound(answer.body))
      throw new DeliveryError('http_404', true);
    return answer;
  }
}

function connectionsOf({ body }: AdministrationAnswer) {
  const parsed = connectionsSchema.safeParse(jsonOf(body));
  if (!parsed.success) throw new DeliveryError('unexpected_answer', true);
  return parsed.data;
}

function isObjectNotFound(body: Buffer): boolean {
  return (jsonOf(body) as { error?: unknown } | null)?.error === 'Object Not Found';
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return null;
  }
}
