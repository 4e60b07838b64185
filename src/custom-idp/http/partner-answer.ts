import { BrokerError } from '../../errors/broker-error.js';
import type { ErrorCode } from '../../errors/error-catalog.js';
import { parseExactNumbers } from '../../identity/exact-json.js';
import type { VerificationTrace } from '../../observability/verification-trace.js';
import type { OutboundResponse } from '../../outbound/outbound-client.js';
import { ownValue } from '../mapping/template.js';

/** Where an answer says no though its status says yes. */
export interface RefusedWhen {
  readonly path: readonly string[];
  readonly equals: string | number | boolean | null;
}

export interface AnswerRules {
  readonly refusedStatuses: readonly number[];
  readonly refusedWhen: RefusedWhen | undefined;
}

/**
 * What a partner says of a credential. Whatever else stands in a refusal, other people's data and stack traces among
 * it, goes nowhere (C-22).
 *
 * @throws BrokerError `invalid_credentials` when the partner refuses; `identity_provider_unavailable` when it is in
 *   trouble or talks rubbish; `identity_provider_misconfigured` when it does not know what is asked of it.
 */
export function readAnswer(
  { status, body }: OutboundResponse,
  { refusedStatuses, refusedWhen }: AnswerRules,
  trace: VerificationTrace | undefined,
): object {
  const blame = blameOf(status, refusedStatuses);
  trace?.check({
    name: 'status',
    passed: blame === undefined,
    detail: `the partner answers ${status}: ${WORDS[blame ?? 'ok']}`,
  });
  if (blame) throw new BrokerError(blame, { cause: new Error(`the partner answers with status ${status}`) });
  const answer = dataIn(body);
  trace?.check({ name: 'json', passed: answer !== null, detail: JSON_WANTED });
  if (!answer) {
    throw new BrokerError('identity_provider_unavailable', {
      cause: new Error(`the partner answers rubbish with status ${status}`),
    });
  }
  if (refusedWhen && ownValue(answer, refusedWhen.path) === refusedWhen.equals) {
    trace?.check({
      name: 'refused_when',
      passed: false,
      detail: 'the answer says that the credential is refused',
    });
    throw new BrokerError('invalid_credentials', {
      cause: new Error(`the partner refuses with status ${status}`),
    });
  }
  return answer;
}

const WORDS: Readonly<Partial<Record<ErrorCode | 'ok', string>>> = {
  ok: 'the credential is accepted',
  invalid_credentials: 'by refused_statuses, the credential is refused',
  identity_provider_unavailable: 'it is in trouble, or has had enough of us',
  identity_provider_misconfigured:
    'it does not know what is asked of it, or wants us elsewhere; redirects are not followed',
};
const JSON_WANTED = 'a JSON object or list in UTF-8, without a repeated name, at most 32 deep';

/** 401 and 403 may be about our key as well as about the credential; partners do not tell, and clients must not be told. */
function blameOf(status: number, refusedStatuses: readonly number[]): ErrorCode | undefined {
  if (status === 429 || status >= 500) return 'identity_provider_unavailable';
  if (refusedStatuses.includes(status)) return 'invalid_credentials';
  return status >= 200 && status < 300 ? undefined : 'identity_provider_misconfigured';
}

function dataIn(body: Buffer): object | null {
  try {
    const value = parseExactNumbers(body);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
