import type { IdentityProvidersConfig } from '../../../src/config/config.js';
import type { ProviderRef } from '../../../src/identity/verified-identity.js';
import type { Logger } from '../../../src/observability/logger.js';
import type { OutboundClient } from '../../../src/outbound/outbound-client.js';
import { FirebaseKind } from '../../../src/social-auth/firebase/firebase.kind.js';
import { builtEmulatorWorker } from './built-emulator-worker.js';
import { OUTBOUND } from './google-certs-double.js';

const CONFIG: IdentityProvidersConfig = {
  signInMilliseconds: 5000,
  callsAtOnce: 20,
  callsWaiting: 100,
  breakAfterFailures: 5,
  breakSeconds: 10,
  insecureFirebaseEmulatorInProduction: false,
};

/** Collects what is logged. */
export class LogLines implements Logger {
  readonly lines: (readonly [level: string, fields: object, message: string])[] = [];
  isLevelEnabled = () => true;
  debug = (fields: object, message: string) => void this.lines.push(['debug', fields, message]);
  info = (fields: object, message: string) => void this.lines.push(['info', fields, message]);
  warn = (fields: object, message: string) => void this.lines.push(['warn', fields, message]);
  error = (fields: object, message: string) => void this.lines.push(['error', fields, message]);
}

/** The kind, with the emulator's worker from the build. */
export function firebaseKind(
  outbound: OutboundClient,
  {
    config = {},
    logger = new LogLines(),
    outboundConfig = OUTBOUND,
    worker = builtEmulatorWorker,
  }: {
    readonly config?: Partial<IdentityProvidersConfig>;
    readonly logger?: Logger;
    readonly outboundConfig?: typeof OUTBOUND;
    readonly worker?: URL;
  } = {},
): FirebaseKind {
  return new FirebaseKind(outbound, outboundConfig, { ...CONFIG, ...config }, logger, { url: worker });
}

/** The reference of a provider instance, numbered as asked. */
export function firebaseRef(id = 1, version = 1): ProviderRef {
  return { id, applicationId: 1, kind: 'firebase', slug: 'firebase', version };
}

/** Opens a provider of the options, parsed as when they are saved. */
export function openFirebase(kind: FirebaseKind, options: object, ref = firebaseRef()) {
  return kind.open({
    ref,
    options: kind.optionsSchema.parse({ project_id: 'demo-ostiary', ...options }),
  });
}
