import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { ErrorCode } from '../../errors/error-catalog.js';
import { parseExactJson } from '../../identity/exact-json.js';
import type { OutboundResponse } from '../../outbound/outbound-client.js';

/** Graph's error object. Its texts are for developers, change, and may quote what was sent: the numbers decide. */
const graphErrorSchema = z.looseObject({
  code: z.number().int(),
  error_subcode: z.number().int().optional().catch(undefined),
  type: z.string().max(64).optional().catch(undefined),
});
const failureSchema = z.looseObject({ error: graphErrorSchema });

/** A refusal by Graph: `error.code` and what qualifies it. */
export interface GraphRefusal {
  readonly status: number;
  readonly code: number;
  readonly subcode: number | undefined;
  readonly type: string | undefined;
}

/** What Graph said: an object, or no. */
export type GraphAnswer =
  | { readonly kind: 'object'; readonly object: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refusal'; readonly refusal: GraphRefusal };

/** API unknown, API service, the limits of app, user, page and calls. */
const IN_TROUBLE = new Set([1, 2, 4, 17, 32, 341, 613]);

/**
 * Reads an answer of the Graph API. Graph reports errors with any status, 200 included.
 *
 * @throws BrokerError `identity_provider_unavailable` for what is no answer of Graph, and when Graph is in trouble or
 *   has had enough of us.
 */
export function readGraphAnswer({ status, body }: OutboundResponse): GraphAnswer {
  if (status >= 500 || status === 429) throw unavailable(`Graph answers with status ${status}`);
  const object = objectIn(body);
  if (!object) throw unavailable(`Graph answers rubbish with status ${status}`);
  const failure = failureSchema.safeParse(object);
  if (failure.success) {
    const { code, error_subcode: subcode, type } = failure.data.error;
    return { kind: 'refusal', refusal: { status, code, subcode, type } };
  }
  if (status !== 200) throw unavailable(`Graph answers without an error, with status ${status}`);
  return { kind: 'object', object };
}

/**
 * A refusal in our words.
 *
 * @param blame whose fault each code is, where this endpoint differs from the others.
 */
export function refusalError(
  refusal: GraphRefusal,
  blame: (refusal: GraphRefusal) => ErrorCode | undefined,
): BrokerError {
  const code = blame(refusal) ?? (IN_TROUBLE.has(refusal.code) ? 'identity_provider_unavailable' : undefined);
  const numbers = `code ${refusal.code}, subcode ${refusal.subcode ?? 'none'}, status ${refusal.status}`;
  return new BrokerError(code ?? 'identity_provider_misconfigured', {
    cause: new Error(`Graph refuses: ${numbers}`),
  });
}

function objectIn(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value = parseExactJson(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function unavailable(reason: string): BrokerError {
  return new BrokerError('identity_provider_unavailable', { cause: new Error(reason) });
}
