import { BrokerError } from '../../errors/broker-error.js';
import { toSubject } from '../../identity/subject.js';
import type { MappedFields, ProfileClaims } from '../../identity/verified-identity.js';
import type { VerificationTrace } from '../../observability/verification-trace.js';
import { MAX_ATTRIBUTES_CHARACTERS, type ValueType } from './mapping-target.js';
import { isAttribute, type MappedField, type Mapping } from './mapping.schema.js';
import { fillTemplate, ownValue, placeholdersOf, type Filled, type Template } from './template.js';

/** A person as a partner's answer has them, by the operator's mapping. */
export interface MappedPerson {
  readonly subject: string;
  /** Whether anybody verified it is not the mapping's to say; nor of the phone number. */
  readonly email?: string;
  readonly phone?: string;
  readonly profile: ProfileClaims;
  readonly user?: MappedFields;
  readonly continuity?: string;
}

type Outcome =
  | { readonly verdict: 'taken'; readonly found: unknown; readonly kept: unknown }
  | { readonly verdict: 'absent'; readonly found: undefined; readonly reason: string }
  | {
      readonly verdict: 'refused';
      readonly found: unknown;
      readonly reason: string;
      readonly error?: BrokerError;
    };

/** What was taken, by target. Each was put in by the schema of its target. */
interface Taken {
  readonly uid?: string;
  readonly login?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly full_name?: string;
  readonly website?: string;
  readonly external_id?: string;
  readonly custom_data?: string;
  readonly locale?: string;
  readonly timezone?: string;
  readonly country?: string;
  readonly avatar_url?: string;
  readonly tags?: readonly string[];
  readonly continuity?: string;
}

/**
 * Takes a person out of an answer. What is not required and does not fit is left out: it is not the person's fault, and
 * signs nobody out.
 *
 * @param answer JSON data, with large numbers as text (`parseExactNumbers`).
 * @throws BrokerError `identity_provider_misconfigured` when something required is not there or does not fit, the path
 *   of `uid` leading nowhere above all; `invalid_credentials` when the answer names nobody. No value is in either.
 */
export function applyMapping(mapping: Mapping, answer: unknown, trace?: VerificationTrace): MappedPerson {
  const taken: Record<string, unknown> = {};
  const attributes: [string, unknown][] = [];
  let room = MAX_ATTRIBUTES_CHARACTERS;
  let failure: BrokerError | undefined;
  for (const field of mapping.fields) {
    const outcome = fitting(taking(field, answer), isAttribute(field) ? room : Infinity);
    if (trace) tell(trace, field, outcome);
    if (outcome.verdict !== 'taken') {
      if (field.required) failure ??= failureOf(field, outcome);
    } else if (isAttribute(field)) {
      room -= JSON.stringify(outcome.kept).length;
      attributes.push([field.target.name.slice('attributes.'.length), outcome.kept]);
    } else {
      taken[field.target.name] = outcome.kept;
    }
  }
  if (failure) throw failure;
  return toPerson(taken, attributes);
}

function taking(field: MappedField, answer: unknown): Outcome {
  const { source, target, type, maxLength } = field;
  if ('constant' in source) return kept(field, source.constant);
  if (target.name === 'uid') return takingUid(field, source.template, answer);
  const filled = fillTemplate(source.template, answer);
  if (filled.kind !== 'value') return unfilled(filled);
  const { value: found } = filled;
  if (!isOfType(found, type)) return { verdict: 'refused', found, reason: `is no ${type}` };
  if (lengthOf(found) > (maxLength ?? Infinity)) return tooLong(found, maxLength);
  return kept(field, found);
}

/** Every part of it has to name somebody by itself: with an empty one, strangers would share what is left. */
function takingUid({ type, maxLength }: MappedField, template: Template, answer: unknown): Outcome {
  const values = placeholdersOf(template).map(({ path }) => ownValue(answer, path));
  if (values.includes(undefined)) {
    return { verdict: 'absent', found: undefined, reason: 'the path leads nowhere in the answer' };
  }
  const found = values.length === 1 ? values[0] : values;
  try {
    for (const value of values) toSubject(value);
    const filled = fillTemplate(template, answer);
    const value = filled.kind === 'value' ? filled.value : undefined;
    const subject = toSubject(value);
    if (!isOfType(value, type)) return { verdict: 'refused', found, reason: `is no ${type}` };
    if (subject.length > (maxLength ?? Infinity)) return tooLong(found, maxLength);
    return { verdict: 'taken', found: value, kept: subject };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    return {
      verdict: 'refused',
      found,
      reason: 'names nobody: it has to be text or a whole number above 0',
      error,
    };
  }
}

function unfilled(filled: Exclude<Filled, { kind: 'value' }>): Outcome {
  return filled.kind === 'absent'
    ? { verdict: 'absent', found: undefined, reason: 'is not in the answer' }
    : { verdict: 'refused', found: undefined, reason: filled.reason };
}

function kept({ target }: MappedField, found: unknown): Outcome {
  const fit = target.fits.safeParse(found);
  return fit.success
    ? { verdict: 'taken', found, kept: fit.data }
    : { verdict: 'refused', found, reason: `must be ${target.wants}` };
}

function tooLong(found: unknown, maxLength: number | undefined): Outcome {
  return { verdict: 'refused', found, reason: `is longer than ${maxLength}` };
}

/** @param room characters that are left for attributes. */
function fitting(outcome: Outcome, room: number): Outcome {
  return outcome.verdict === 'taken' && room !== Infinity && JSON.stringify(outcome.kept).length > room
    ? { verdict: 'refused', found: outcome.found, reason: 'the attributes before it leave no room' }
    : outcome;
}

function isOfType(value: unknown, type: ValueType | undefined): boolean {
  switch (type) {
    case undefined:
      return true;
    case 'list':
      return Array.isArray(value);
    case 'number':
      // Large whole numbers come as text.
      return Number.isFinite(value) || (typeof value === 'string' && /^-?[1-9]\d{15,}$/.test(value));
    default:
      return typeof value === type;
  }
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : JSON.stringify(value).length;
}

function tell(trace: VerificationTrace, { target, source }: MappedField, outcome: Outcome): void {
  const { found: value, verdict } = outcome;
  trace.mapping({
    target: target.name,
    template: 'template' in source ? source.template.text : JSON.stringify(source.constant),
    value,
    type: value === undefined ? null : value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value,
    verdict,
    reason: 'reason' in outcome ? outcome.reason : null,
  });
}

/** @returns an error with the field's name, which is the operator's, and nothing of the answer. */
function failureOf({ target }: MappedField, outcome: Exclude<Outcome, { verdict: 'taken' }>): BrokerError {
  if (outcome.verdict === 'refused' && outcome.error) return outcome.error;
  const what = outcome.verdict === 'absent' ? 'leads nowhere in the answer' : 'does not fit';
  return new BrokerError('identity_provider_misconfigured', {
    cause: new Error(`the mapping of "${target.name}", which is required, ${what}`),
  });
}

function toPerson(taken: Taken, attributes: readonly [string, unknown][]): MappedPerson {
  const { uid, email, phone, continuity } = taken;
  const user = given({
    login: taken.login,
    fullName: taken.full_name,
    website: taken.website,
    externalId: taken.external_id,
    customData: taken.custom_data,
    locale: taken.locale,
    timezone: taken.timezone,
    country: taken.country,
    tags: taken.tags,
    attributes: attributes.length === 0 ? undefined : Object.fromEntries(attributes),
  });
  return {
    subject: uid!,
    ...given({ email, phone, continuity }),
    profile: given({
      name: taken.full_name,
      preferred_username: taken.login,
      picture: taken.avatar_url,
      locale: taken.locale,
    }),
    ...(Object.keys(user).length > 0 && { user }),
  };
}

type Given<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without what there is not. */
function given<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<Fields>;
}
