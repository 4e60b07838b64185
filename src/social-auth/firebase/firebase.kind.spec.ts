import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { EmulatorWorkerEntry } from './emulator-worker-entry.js';
import { FirebaseKind } from './firebase.kind.js';

const OUTBOUND = {
  allow: [],
  connectMilliseconds: 1000,
  totalMilliseconds: 1000,
  maxResponseBytes: 1024,
  connectionsPerOrigin: 1,
};
const CONFIG = {
  signInMilliseconds: 1000,
  callsAtOnce: 1,
  callsWaiting: 1,
  breakAfterFailures: 1,
  breakSeconds: 1,
  insecureFirebaseEmulatorInProduction: false,
};
const silent = () => {};
const LOGGER = { isLevelEnabled: () => false, debug: silent, info: silent, warn: silent, error: silent };

describe(FirebaseKind.name, () => {
  const kind = new FirebaseKind(
    new OutboundClient(OUTBOUND),
    OUTBOUND,
    CONFIG,
    LOGGER,
    new EmulatorWorkerEntry(),
  );
  const parse = (options: object) => kind.optionsSchema.parse({ project_id: 'demo-ostiary', ...options });
  const service_account = () => ({
    client_email: 'broker@demo-ostiary.iam.gserviceaccount.com',
    private_key: generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
  });

  it('has nothing to say of what is usual', () => {
    expect(kind.warnings(parse({}))).toEqual([]);
    expect(kind.warnings(parse({ check_revoked: true, service_account: service_account() }))).toEqual([]);
  });

  it.each([
    ['an emulator', { emulator: { host: 'localhost:9099' } }, 'emulator:'],
    ['anonymous users', { sign_in_methods: ['phone', 'anonymous'] }, '"anonymous"'],
    ['custom tokens', { sign_in_methods: ['custom'] }, '"custom"'],
    ['a key without a use', { service_account: service_account() }, 'check_revoked'],
  ])('warns of %s', (_name, options, words) => {
    expect(kind.warnings(parse(options))).toEqual([expect.stringContaining(words)]);
  });

  it('sends what a service account signs to Google', () => {
    expect(kind.secretDestinations(parse({ service_account: service_account() }))).toEqual([
      'https://oauth2.googleapis.com',
    ]);
    expect(kind.secretDestinations(parse({}))).toEqual([]);
  });
});
