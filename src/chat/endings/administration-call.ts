import { Injectable } from '@nestjs/common';
import { BrokerError } from '../../errors/broker-error.js';
import { OutboundClient, type OutboundRequest } from '../../outbound/outbound-client.js';
import { ConnectionNotMadeError, RefusedAddressError } from '../../outbound/outbound-errors.js';
import { DeliveryError } from '../../outbox/outbox-topic.js';

export interface AdministrationAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Calls the administration of a chat server, at addresses that the guard lets through. */
@Injectable()
export class AdministrationCall {
  constructor(private readonly outbound: OutboundClient) {}

  /**
   * @param accepts statuses beside 2xx that are an answer, too.
   * @returns the answer of a server that did what it was asked. @throws DeliveryError with a word for every other one.
   */
  async send(request: OutboundRequest, accepts: readonly number[] = []): Promise<AdministrationAnswer> {
    const { status, body } = await this.answerTo(request);
    if ((status >= 200 && status < 300) || accepts.includes(status)) return { status, body };
    throw new DeliveryError(`http_${status}`, isServerAtFault(status));
  }

  private async answerTo(request: OutboundRequest): Promise<AdministrationAnswer> {
    try {
      return await this.outbound.send(request);
    } catch (error) {
      throw new DeliveryError(wordFor(error), true);
    }
  }
}

/** The address that calls go to, below the path that the operator gave. */
export function below(base: string, path: string): URL {
  return new URL(base.replace(/\/+$/, '') + path);
}

export function basicHeader(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Down, busy, or no longer taking our credentials: the next message would fare no better. */
function isServerAtFault(status: number): boolean {
  return status >= 500 || [401, 403, 404, 429].includes(status);
}

function wordFor(error: unknown): string {
  const cause: unknown = error instanceof BrokerError ? error.cause : error;
  if (cause instanceof RefusedAddressError) return 'address_refused';
  return cause instanceof ConnectionNotMadeError ? 'no_connection' : 'no_answer';
}
