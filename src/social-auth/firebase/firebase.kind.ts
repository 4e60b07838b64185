import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { isProduction } from '../../config/config.loader.js';
import { IdentityProvidersConfig, OutboundConfig } from '../../config/config.js';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { Logger } from '../../observability/logger.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { EmulatorJudge } from './emulator-judge.js';
import { EmulatorWorkerEntry } from './emulator-worker-entry.js';
import { EmulatorWorkers } from './emulator-workers.js';
import { FirebaseApps } from './firebase-apps.js';
import { firebaseOptionsSchema, type FirebaseOptions } from './firebase.options.js';
import { FirebaseVerifier } from './firebase.verifier.js';
import { GOOGLE_TOKEN_URL } from './google-access-tokens.js';
import { GoogleJudge } from './google-judge.js';
import { RefusedEmulatorJudge } from './refused-emulator-judge.js';
import type { TokenJudge } from './token-judge.js';

/** Firebase Authentication: phone numbers, e-mail addresses and whatever else a project lets people sign in with. */
@Injectable()
export class FirebaseKind implements VerifierKind<FirebaseOptions>, OnApplicationShutdown {
  readonly kind = 'firebase';
  readonly reservedSlug = 'firebase';
  /** Of emulators nothing is trusted, whatever the policies say: their addresses are never "verified". */
  readonly defaults = { trustedForEmail: true, trustedForPhone: true };
  readonly optionsSchema = firebaseOptionsSchema;
  readonly secretPaths = ['service_account.private_key'];
  private readonly apps = new FirebaseApps();
  private readonly workers: EmulatorWorkers;
  private readonly production = isProduction();

  constructor(
    private readonly outbound: OutboundClient,
    outboundConfig: OutboundConfig,
    private readonly config: IdentityProvidersConfig,
    private readonly logger: Logger,
    entry: EmulatorWorkerEntry,
  ) {
    this.workers = new EmulatorWorkers(entry.url, outboundConfig);
  }

  /** The key itself stays here; Google gets what it signed. */
  secretDestinations({ service_account }: FirebaseOptions): readonly string[] {
    return service_account ? [new URL(GOOGLE_TOKEN_URL).origin] : [];
  }

  /** The emulator is dialled by a worker of its own, and only in installations that say so. */
  destinations(): readonly URL[] {
    return [];
  }

  warnings({
    emulator,
    sign_in_methods,
    service_account,
    check_revoked,
  }: FirebaseOptions): readonly string[] {
    const unproven = sign_in_methods.filter((method) => method === 'anonymous' || method === 'custom');
    return [
      ...(emulator
        ? ['emulator: anybody who reaches it can sign in as anybody; none of its addresses count as verified']
        : []),
      ...(emulator && this.refusesEmulators
        ? ['emulator: refused here, because NODE_ENV is production: nobody can sign in with this provider']
        : []),
      ...unproven.map((method) => `sign_in_methods: "${method}" proves nothing about a person`),
      ...(service_account && !check_revoked ? ['service_account: not used while check_revoked is off'] : []),
    ];
  }

  open(definition: ProviderDefinition<FirebaseOptions>): IdentityVerifier {
    return new FirebaseVerifier(definition, this.judgeOf(definition));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.apps.close(), this.workers.close()]);
  }

  private get refusesEmulators(): boolean {
    return this.production && !this.config.insecureFirebaseEmulatorInProduction;
  }

  private judgeOf(definition: ProviderDefinition<FirebaseOptions>): TokenJudge {
    const { emulator, project_id, tenant_id } = definition.options;
    if (!emulator) return new GoogleJudge(definition, this.apps, this.outbound);
    if (this.refusesEmulators) return new RefusedEmulatorJudge();
    if (this.production) {
      const { id, applicationId, slug } = definition.ref;
      this.logger.warn(
        { provider_id: id, application_id: applicationId, slug },
        'a Firebase emulator signs people in',
      );
    }
    return new EmulatorJudge(this.workers, { host: emulator.host, projectId: project_id }, tenant_id);
  }
}
