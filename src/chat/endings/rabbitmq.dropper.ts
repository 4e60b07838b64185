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
    const { user_name, domain } = drop;
    // RabbitMQ knows the user by the name that was typed, with the domain or without.
    const names = domain === null ? [user_name] : [user_name, `${user_name}@${domain}`];
    for (const name of names) {
      const path = `/api/connections/username/${encodeURIComponent(name)}`;
      if (administration.vhosts === undefined) await this.close(administration, path, signal);
      else await this.closeWithin(administration, administration.vhosts, path, signal);
    }
  }

  private async closeWithin(
    administration: RabbitmqAdministration,
    vhosts: readonly string[],
    path: string,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.call('GET', administration, path, signal);
    if (answer.status === NOT_FOUND) return;
    for (const { name, vhost } of connectionsOf(answer)) {
      if (vhost !== undefined && !vhosts.includes(vhost)) continue;
      await this.close(administration, `/api/connections/${encodeURIComponent(name)}`, signal);
    }
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
