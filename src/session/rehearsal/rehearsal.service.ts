import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.js';
import { BrokerError } from '../../errors/broker-error.js';
import { inputError } from '../../http/input.js';
import { ProviderCalls } from '../../identity-providers/provider-calls.js';
import { ProviderDirectory, type OpenApart } from '../../identity-providers/provider-directory.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import { isUniqueViolation } from '../../persistence/store-errors.js';
import { Transactions } from '../../persistence/transactions.js';
import { Throttle } from '../../throttle/throttle.js';
import { Clock } from '../../time/clock.js';
import { FederatedAdmission } from '../federated/federated-admission.js';
import { Mask } from './mask.js';
import type { RehearsalReport } from './rehearsal-report.js';
import { TraceRecorder } from './trace-recorder.js';

/** A shorter one is no secret, and stands in other words as well. */
const MIN_CONSTANT = 6;

type Linking = NonNullable<RehearsalReport['linking']>;
type Refusal = NonNullable<RehearsalReport['refusal']>;

/**
 * Signs somebody in for show: everything is done as in a sign-in, to the last statement of its transaction, and then
 * undone. For operators who write a definition, and for those who watch one.
 */
@Injectable()
export class RehearsalService {
  constructor(
    private readonly directory: ProviderDirectory,
    private readonly calls: ProviderCalls,
    private readonly admission: FederatedAdmission,
    private readonly transactions: Transactions,
    private readonly throttle: Throttle,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * @param credential as a client would present it. @returns what happened; a refusal is part of that, and not thrown.
   * @throws BrokerError `identity_provider_not_found`; `validation_failed` when the credential is not of this
   *   provider's form; `identity_provider_misconfigured` when the definition cannot be opened; `too_many_requests`.
   */
  async rehearse(applicationId: number, slug: string, credential: unknown): Promise<RehearsalReport> {
    const provider = await this.directory.openApart(applicationId, slug);
    const parsed = provider.verifier.credentialSchema.safeParse(credential);
    if (!parsed.success) throw inputError(parsed.error.issues, ['credential']);
    await this.throttle.spendRehearsal(applicationId);
    const startedAt = this.clock.monotonic();
    const mask = maskOf(provider, credential);
    const recorder = new TraceRecorder(mask);
    const outcome = await this.signIn(provider, parsed.data, recorder);
    const totalMilliseconds = Math.round((this.clock.monotonic() - startedAt) * 100) / 100;
    await this.record(provider, outcome.refusal);
    const { identity } = outcome;
    const { exchanges, checks, mappings: mapping } = recorder;
    return {
      provider: { ...provider.ref, enabled: provider.enabled },
      exchanges,
      checks,
      mapping,
      identity: identity && shown(identity),
      linking: outcome.linking,
      refusal: outcome.refusal,
      totalMilliseconds,
    };
  }

  private async signIn(
    provider: OpenApart,
    credential: unknown,
    trace: TraceRecorder,
  ): Promise<{ identity: VerifiedIdentity | null; linking: Linking | null; refusal: Refusal | null }> {
    let identity: VerifiedIdentity | null = null;
    try {
      identity = await this.calls.runApart((signal) =>
        provider.verifier.verify(credential, { signal, trace }),
      );
      if (!provider.enabled) throw refused('unknown_identity_provider', 'the provider is disabled');
      if (provider.policy.linkOnly) throw refused('provider_link_only', 'the policy link_only is on');
      const linking = await this.undone(() => this.link(identity!, provider));
      return { identity, linking, refusal: null };
    } catch (error) {
      if (isUniqueViolation(error)) {
        return {
          identity,
          linking: null,
          refusal: { code: 'busy', reason: 'somebody claimed a name meanwhile' },
        };
      }
      if (!(error instanceof BrokerError)) throw error;
      return { identity, linking: null, refusal: { code: error.code, reason: reasonOf(error) } };
    }
  }

  private async link(identity: VerifiedIdentity, { policy }: OpenApart): Promise<Linking> {
    const { user, decision } = await this.admission.admit({ identity, policy }, null);
    return { decision, userId: decision === 'create' ? null : user.id, user };
  }

  /** What `work` comes to in a transaction that leaves nothing behind. */
  private async undone<T>(work: () => Promise<T>): Promise<T> {
    const undo = new Error('a rehearsal writes nothing');
    let outcome: { readonly value: T } | undefined;
    await this.transactions
      .run(async () => {
        outcome = { value: await work() };
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
    return outcome!.value;
  }

  private record({ ref }: OpenApart, refusal: Refusal | null): Promise<void> {
    const { applicationId, slug, kind, version } = ref;
    return this.audit.record({
      act: 'identity_provider.tested',
      applicationId,
      outcome: refusal ? 'refused' : 'done',
      ...(refusal && { reason: refusal.code }),
      details: { provider: slug, kind, version },
    });
  }
}

function maskOf(provider: OpenApart, credential: unknown): Mask {
  const presented = Object.entries((credential ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name: `credential.${name}`, value }] : [],
  );
  const configured = provider.secrets.flatMap(({ path, value }) =>
    constantsOf(value).map((constant) => ({ name: path.join('.'), value: constant })),
  );
  return new Mask([...presented, ...configured]);
}

/** What a configured secret puts into requests: a template without its placeholders, and the texts in one of JSON. */
function constantsOf(secret: string): string[] {
  const texts = [secret, ...textsIn(secret)];
  const parts = texts.flatMap((text) => [text, ...text.split(/#\{[^}]*\}/), ...text.split(' ')]);
  return parts.filter((part) => part.length >= MIN_CONSTANT);
}

function textsIn(json: string): string[] {
  try {
    const texts: string[] = [];
    JSON.parse(json, (_, value: unknown) => {
      if (typeof value === 'string') texts.push(value);
      return value;
    });
    return texts;
  } catch {
    return [];
  }
}

function shown({ provider: _, oneTime: __, ...facts }: VerifiedIdentity): RehearsalReport['identity'] {
  return facts;
}

function refused(code: 'unknown_identity_provider' | 'provider_link_only', reason: string): BrokerError {
  return new BrokerError(code, { cause: new Error(reason) });
}

/** Causes that verifiers give are texts of their own, which hold nothing of what was sent or answered. */
function reasonOf({ cause }: BrokerError): string | null {
  if (!(cause instanceof Error)) return null;
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
  return `${cause.message}${inner}`.slice(0, 300);
}
