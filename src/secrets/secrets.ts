import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SecretsConfig } from '../config/config.js';
import { KeyRing, newMasterKey, type SecretPlace } from './key-ring.js';
import { readKeyFile, readOrMakeKeyFile, writeKeyFile } from './master-key-file.js';

/** Encrypts what must be read again, and makes and compares what need not be. */
export class Secrets {
  private ring: KeyRing;

  constructor(private readonly config: SecretsConfig) {
    this.ring = new KeyRing(config.masterKeys ?? readOrMakeKeyFile(config.keyFile));
  }

  encrypt(plaintext: string, place: SecretPlace): string {
    // Under the file's present first key: one that a rotation has retired meanwhile would be lost with it.
    if (this.ownsItsKey) this.reload();
    return this.ring.encrypt(plaintext, place);
  }

  /** @throws UndecipherableError */
  decrypt(stored: string, place: SecretPlace): string {
    // A rotation by another process put a new key into the file.
    if (!this.ring.knows(stored) && this.config.masterKeys === null) this.reload();
    return this.ring.decrypt(stored, place);
  }

  /** `KeyRing.macs` under the keys in force. */
  macs(purpose: string, text: string): string[] {
    return this.ring.macs(purpose, text);
  }

  /** Reads the keys again where another process may have changed them. @returns whether there was anything to read. */
  refresh(): boolean {
    if (this.ownsItsKey) this.reload();
    return this.ownsItsKey;
  }

  isUnderCurrentKey(stored: string): boolean {
    return this.ring.isCurrent(stored);
  }

  get currentKeyId(): string {
    return this.ring.currentKeyId;
  }

  /** Whether the key is ours to change (a file) or the operator's (MASTER_KEY). */
  get ownsItsKey(): boolean {
    return this.config.masterKeys === null;
  }

  /** How many keys are in force; with one, there is nothing to rotate to. */
  get keyCount(): number {
    return (this.config.masterKeys ?? readKeyFile(this.config.keyFile)).length;
  }

  /** Puts a fresh key in front of the file's. Older ones stay until `retireOldKeys`. */
  addKey(): void {
    writeKeyFile(this.config.keyFile, [newMasterKey(), ...readKeyFile(this.config.keyFile)]);
    this.reload();
  }

  /**
   * Drops the keys that nothing is under any more. The previous one stays until the next rotation, for what a
   * running process that had not seen the new key wrote during this one.
   */
  retireOldKeys(): void {
    writeKeyFile(this.config.keyFile, readKeyFile(this.config.keyFile).slice(0, 2));
    this.reload();
  }

  private reload(): void {
    this.ring = new KeyRing(readKeyFile(this.config.keyFile));
  }
}

/** Text of `bytes` random bytes in base64url. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** Whether two secrets are the same, in a time that tells nothing about where they differ, nor their lengths. */
export function sameSecret(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
