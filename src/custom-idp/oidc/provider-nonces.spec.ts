import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { Secrets } from '../../secrets/secrets.js';
import { ProviderNonces } from './provider-nonces.js';

describe('ProviderNonces', () => {
  const clock = new ManualClock();
  const ref = { id: 7, applicationId: 3, kind: 'oidc', slug: 'partner', version: 1 };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ostiary-nonces-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As a process of its own has them. */
  const processSecrets = () => new Secrets({ masterKeys: null, keyFile: join(folder, 'key') });
  const noncesOf = (secrets: Secrets, overrides: object = {}) =>
    new ProviderNonces({ ...ref, ...overrides }, secrets, clock);

  it('are known to every process, and each is another', () => {
    const [one, other] = [noncesOf(processSecrets()), noncesOf(processSecrets())];
    const nonces = Array.from({ length: 100 }, () => one.issue().nonce);
    expect(new Set(nonces).size).toBe(100);
    expect(nonces.every((nonce) => other.spend(nonce) !== null)).toBe(true);
    expect(new Set(nonces.map((nonce) => other.spend(nonce)!.id)).size).toBe(100);
  });

  it('outlive the change of the master key, in a process that has not heard of it too', () => {
    const [one, other] = [processSecrets(), processSecrets()];
    const before = noncesOf(other).issue().nonce;
    one.addKey();
    const after = noncesOf(one).issue().nonce;
    expect(noncesOf(other).spend(after)).not.toBeNull();
    expect(noncesOf(one).spend(before)).not.toBeNull();
  });

  it('belong to one provider of one application, whatever version it is of', () => {
    const secrets = processSecrets();
    const { nonce } = noncesOf(secrets).issue();
    expect(noncesOf(secrets, { version: 2 }).spend(nonce)).not.toBeNull();
    expect(noncesOf(secrets, { id: 8 }).spend(nonce)).toBeNull();
    expect(noncesOf(secrets, { applicationId: 4 }).spend(nonce)).toBeNull();
    expect(noncesOf(secrets, { id: 37, applicationId: 0 }).spend(nonce)).toBeNull();
  });

  it('are remembered for longer than they are taken', () => {
    const nonces = noncesOf(processSecrets());
    const { nonce, expiresAt } = nonces.issue();
    expect(nonces.spend(nonce)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      expiresAt: new Date(expiresAt.getTime() + 60_000),
    });
  });
});
