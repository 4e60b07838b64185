import { Injectable } from '@nestjs/common';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { Clock } from '../../time/clock.js';
import { httpWarnings } from './http-warnings.js';
import { httpOptionsSchema, type HttpOptions } from './http.options.js';
import { HttpVerifier } from './http.verifier.js';
import { MAX_PARAM_DEPTH } from './request-params.js';

/** At any depth that parameters may nest to. */
const below = (name: string) =>
  Array.from({ length: MAX_PARAM_DEPTH }, (_, i) => `${name}${'.*'.repeat(i + 1)}`);

/** Only placeholders, after one word at most that says what follows (`Bearer #{token}`); or a type of content. */
const PUBLIC =
  /^(?:(?:[A-Za-z]{1,12} )?(?:#\{(?:token|login|password|email)\}[ :,;]?)+|application\/[a-z-]{1,24})$/;

/** A partner that is asked over HTTP about each credential: token, or login and password. */
@Injectable()
export class HttpKind implements VerifierKind<HttpOptions> {
  readonly kind = 'http';
  readonly reservedSlug = null;
  /** Who the partner is only the operator knows. */
  readonly defaults = { trustedForEmail: false, trustedForPhone: false };
  readonly optionsSchema = httpOptionsSchema;
  /** What operators write into headers and parameters are keys, more often than not. JSON texts are secrets as a whole. */
  readonly secretPaths = [
    ...['headers', 'headers.*', 'request_headers', 'request_headers.*'],
    ...['params', ...below('params'), 'request_params', ...below('request_params')],
    ...['signing.secret', 'tls.client_key'],
  ];

  constructor(
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  isPublic(value: string): boolean {
    return PUBLIC.test(value);
  }

  secretDestinations({ url }: HttpOptions): readonly string[] {
    return [url.origin];
  }

  destinations({ url }: HttpOptions): readonly URL[] {
    return [new URL(url.origin)];
  }

  warnings(options: HttpOptions): readonly string[] {
    return httpWarnings(options);
  }

  open(definition: ProviderDefinition<HttpOptions>): IdentityVerifier {
    return new HttpVerifier(definition, this.outbound, this.clock);
  }
}
