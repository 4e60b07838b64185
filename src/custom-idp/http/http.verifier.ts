import type { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type {
  IdentityVerifier,
  TakesPasswords,
  TypedPassword,
  VerifyOptions,
} from '../../identity/identity-verifier.js';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { VerificationTrace } from '../../observability/verification-trace.js';
import type {
  OutboundClient,
  OutboundRequest,
  OutboundResponse,
  OutboundTls,
} from '../../outbound/outbound-client.js';
import { currentRequest } from '../../observability/request-context.js';
import { ConnectionNotMadeError } from '../../outbound/outbound-errors.js';
import type { Clock } from '../../time/clock.js';
import { applyMapping, type MappedPerson } from '../mapping/apply-mapping.js';
import { toOutboundTls } from '../tls.options.js';
import { credentialSchema, type Credential } from './credential.js';
import type { HttpOptions } from './http.options.js';
import { readAnswer } from './partner-answer.js';
import { toRequestHeaders } from './request-headers.js';
import { toBody, toQuery } from './request-params.js';
import { signatureHeaders } from '../../outbound/webhook-signature.js';
import { toRequestUrl } from './request-url.js';

const CONTENT_TYPES = { json: 'application/json', form: 'application/x-www-form-urlencoded' } as const;

/** Asks the partner about a credential, once, and takes the person out of its answer. */
export class HttpVerifier implements IdentityVerifier<Credential>, TakesPasswords {
  readonly credentialSchema: z.ZodType<Credential>;
  private readonly options: HttpOptions;
  private readonly tls: OutboundTls | undefined;
  private readonly namesLogins: boolean;

  constructor(
    private readonly definition: ProviderDefinition<HttpOptions>,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {
    this.options = definition.options;
    this.credentialSchema = credentialSchema(this.options.credential);
    this.tls = toOutboundTls(this.options.tls);
    const { mapping, isVendorForm } = this.options;
    this.namesLogins = isVendorForm && !mapping.fields.some(({ target }) => target.name === 'login');
  }

  /** The name under the field that the templates have for it: partners know people by their login, or by their address. */
  toCredential({ kind, name, password }: TypedPassword): Credential {
    const { used } = this.options.credential;
    const typed: Credential = {
      ...(used.includes('login') && (kind !== 'email' || !used.includes('email')) && { login: name }),
      ...(used.includes('email') && kind === 'email' && { email: name }),
      ...(used.includes('password') && { password }),
    };
    return typed;
  }

  async verify(credential: Credential, { signal, trace }: VerifyOptions): Promise<VerifiedIdentity> {
    const request = this.requestFor(credential);
    const response = await this.ask({
      ...request,
      signal,
      tls: this.tls,
      trace: trace && { to: trace, purpose: 'identity' },
    });
    const answer = readAnswer(response, this.options, trace);
    return this.identityOf(mapped(() => applyMapping(this.options.mapping, answer, trace), trace));
  }

  private requestFor(credential: Credential): Pick<OutboundRequest, 'method' | 'url' | 'headers' | 'body'> {
    const { url, method, headers, params, bodyFormat, signingKey } = this.options;
    const own = toRequestHeaders(headers, credential);
    const isPost = method === 'POST';
    const target = toRequestUrl(url, credential, isPost ? [] : toQuery(params, credential));
    const body = isPost ? toBody(params, bodyFormat, credential) : undefined;
    const payload = body ?? `${target.pathname}${target.search}`;
    return {
      method,
      url: target,
      headers: {
        ...requestIdHeader(),
        ...own,
        ...(isPost && { 'content-type': CONTENT_TYPES[bodyFormat] }),
        ...(signingKey && signatureHeaders(signingKey, payload, this.clock.now())),
      },
      ...(body !== undefined && { body }),
    };
  }

  /**
   * One call for a sign-in, and a second only where the first reached nobody: whatever else went wrong, the partner may
   * be at work on it, and a partner in trouble would be called twice as often (C-25).
   */
  private async ask(request: OutboundRequest): Promise<OutboundResponse> {
    try {
      return await this.outbound.send(request);
    } catch (error) {
      if (!reachedNobody(error) || request.signal.aborted) throw error;
      return this.outbound.send(request);
    }
  }

  private identityOf({ email, phone, user, ...person }: MappedPerson): VerifiedIdentity {
    const verified = this.options.addressesVerified;
    const login = `custom_${person.subject}`;
    const fields = this.namesLogins && login.length <= 255 ? { login, ...user } : user;
    return {
      provider: this.definition.ref,
      ...person,
      ...(email !== undefined && { email: { address: email, verified } }),
      ...(phone !== undefined && { phone: { number: phone, verified } }),
      ...(fields && { user: fields }),
      amr: [],
      authTime: new Date(this.clock.now()),
    };
  }
}

/** Tells whether the answer names somebody. */
function mapped(apply: () => MappedPerson, trace: VerificationTrace | undefined): MappedPerson {
  try {
    const person = apply();
    trace?.check({ name: 'uid', passed: true, detail: 'the answer names somebody' });
    return person;
  } catch (error) {
    trace?.check({
      name: 'uid',
      passed: false,
      detail: 'the answer does not give what the mapping requires',
    });
    throw error;
  }
}

/** By which the partner's log and ours can be laid side by side. */
function requestIdHeader(): Readonly<Record<string, string>> {
  const id = currentRequest()?.id;
  return id ? { 'x-request-id': id } : {};
}

function reachedNobody(error: unknown): boolean {
  return error instanceof BrokerError && error.cause instanceof ConnectionNotMadeError;
}
