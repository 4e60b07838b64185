import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { OutboundResponse } from '../../outbound/outbound-client.js';

/** X's ways to say no: `errors` with numbers (API 1.1), problem documents (API 2), `error` (RFC 6749 §5.2). */
const refusalSchema = z.object({
  errors: z
    .array(z.object({ code: z.number().int().optional().catch(undefined) }))
    .optional()
    .catch(undefined),
  type: z.string().optional().catch(undefined),
  error: z.string().optional().catch(undefined),
});

/** What X says about itself, as far as it may be repeated. */
export interface Refusal {
  readonly status: number;
  /** X's own error number. */
  readonly code: number | undefined;
  /** The last word of the problem's type: `client-forbidden`, `user-suspended`, … */
  readonly problem: string | undefined;
  /** RFC 6749's word; never shown, for it is X's text. */
  readonly error: string | undefined;
}

/** @throws BrokerError `identity_provider_unavailable` for what is no JSON object. */
export function jsonOf({ status, body }: OutboundResponse): Readonly<Record<string, unknown>> {
  const value = parsed(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BrokerError('identity_provider_unavailable', {
      cause: new Error(`X answered ${status} with what is no JSON object`),
    });
  }
  return value as Record<string, unknown>;
}

/** Never throws: refusals come as HTML and XML too. */
export function refusalOf({ status, body }: OutboundResponse): Refusal {
  const refusal = refusalSchema.safeParse(parsed(body)).data;
  return {
    status,
    code: refusal?.errors?.[0]?.code ?? codeInXml(body),
    problem: /\/problems\/([a-z0-9-]{1,64})$/.exec(refusal?.type ?? '')?.[1],
    error: refusal?.error,
  };
}

/** X is in trouble or has had enough of us: over capacity, internal error, rate limit. */
export function isTrouble({ status, code }: Refusal): boolean {
  return status === 429 || status >= 500 || code === 88 || code === 130 || code === 131;
}

/** The person at X who is locked out there: not found, suspended (63, 64) or locked until they prove themselves (326). */
export function isAboutThePerson({ code, problem }: Refusal): boolean {
  return code === 63 || code === 64 || code === 326 || problem === 'user-suspended';
}

/**
 * Our app, its plan or our clock: credits used up, not permitted (87), a clock that is off (135), a callback URL that
 * the app does not list (415), a suspended app (416), a plan without this endpoint (453).
 */
export function isAboutUs({ status, code, problem }: Refusal): boolean {
  return (
    status === 402 ||
    (code !== undefined && [87, 135, 415, 416, 417, 453].includes(code)) ||
    (problem !== undefined && OUR_PROBLEMS.has(problem))
  );
}

const OUR_PROBLEMS = new Set([
  'client-forbidden',
  'unsupported-authentication',
  'oauth1-permissions',
  'credits',
]);

/** A cause that a log may print: numbers, and none of X's text, which may repeat tokens. */
export function causeOf({ status, code }: Refusal, of: string): Error {
  return new Error(`X answered ${of} with ${status}${code === undefined ? '' : ` and error ${code}`}`);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The OAuth 1.0a endpoints answer some refusals in XML: `<error code="415">`. */
function codeInXml(body: Buffer): number | undefined {
  const code = /<error code="(\d{1,5})">/.exec(body.toString('utf8'))?.[1];
  return code === undefined ? undefined : Number(code);
}
