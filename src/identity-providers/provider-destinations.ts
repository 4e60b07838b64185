import { Injectable } from '@nestjs/common';
import { BrokerError, type InputFault } from '../errors/broker-error.js';
import { toPointer } from '../http/input.js';
import { DestinationCheck } from '../outbound/destination-check.js';
import type { Refusal } from '../outbound/outbound-errors.js';

const WAY_OUT = 'if that is meant, list the host in OUTBOUND_ALLOW';
const DETAILS: Readonly<Record<Refusal, string>> = {
  'not http': 'must be an http or https URL',
  'user information': 'must have no user name and no password',
  'refused port': `has a port that belongs to something else than HTTP; ${WAY_OUT}`,
  'not a public address': `leads to an address that is not public; ${WAY_OUT}`,
};

/** Destinations that have been judged, and may be saved. */
export interface JudgedDestinations {
  /** What whoever saves them should know. */
  readonly warnings: readonly string[];
  covers(destinations: readonly URL[]): boolean;
}

/** Refuses to save a definition that leads the server into a network that is not meant for it. */
@Injectable()
export class ProviderDestinations {
  constructor(private readonly check: DestinationCheck) {}

  /**
   * Asks DNS, so never inside a transaction. A name that nobody knows now may be known later; whatever it leads to then
   * is judged when it is dialled.
   *
   * @param options where they were written down, to name the place of a fault.
   * @throws BrokerError `validation_failed` with a fault `address_refused` for each address that may not be dialled.
   */
  async judge(destinations: readonly URL[], options: unknown): Promise<JudgedDestinations> {
    const verdicts = await Promise.all(
      destinations.map(async (url) => ({ url, verdict: await this.check.judge(url) })),
    );
    const errors = verdicts.flatMap(({ url, verdict }): InputFault[] =>
      verdict === 'permitted' || verdict === 'unresolved'
        ? []
        : [{ pointer: placeOf(url, options), code: 'address_refused', detail: DETAILS[verdict] }],
    );
    if (errors.length > 0) throw new BrokerError('validation_failed', { errors });
    const nameless = verdicts.filter(({ verdict }) => verdict === 'unresolved');
    const judged = new Set(destinations.map(({ href }) => href));
    return {
      warnings: [...new Set(nameless.map(({ url }) => url.hostname))].map(
        (host) => `${host} cannot be resolved at present; nobody can sign in until it can`,
      ),
      covers: (others) => others.every(({ href }) => judged.has(href)),
    };
  }
}

/** Where a URL stands in the options: literally, or as what its kind completes. */
function placeOf(url: URL, options: unknown): string {
  const texts = textsOf(options, '/options');
  const same = (part: 'href' | 'origin') =>
    texts.find(({ text }) => URL.canParse(text) && new URL(text)[part] === url[part]);
  return (same('href') ?? same('origin'))?.pointer ?? '/options';
}

function textsOf(value: unknown, pointer: string): { readonly pointer: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ pointer, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, `${pointer}${toPointer([key])}`));
}
