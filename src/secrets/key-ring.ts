import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Where a secret is stored. Bound to the ciphertext, so that a value moved to another place does not decrypt. */
export interface SecretPlace {
  readonly table: string;
  readonly row: number;
  readonly column: string;
}

/** A stored secret cannot be read: no such key, a wrong key, or a value that was moved or altered. */
export class UndecipherableError extends Error {
  override readonly name = 'UndecipherableError';
}

interface RingKey {
  readonly id: string;
  readonly key: Buffer;
  readonly macKey: Buffer;
}

const VERSION = 'v1';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encryption at rest with AES-256-GCM (NIST SP 800-38D) under keys derived from the master keys with HKDF-SHA-256
 * (RFC 5869). The first key encrypts, every key decrypts. A stored value reads `v1.<key id>.<iv, ciphertext, tag>`.
 */
export class KeyRing {
  private readonly keys: readonly RingKey[];

  /** @param masterKeys base64 texts of 32 bytes, the current one first. @throws RangeError on any other length. */
  constructor(masterKeys: readonly string[]) {
    this.keys = masterKeys.map(deriveKey);
    if (this.keys.length === 0) throw new RangeError('a key ring needs a key');
  }

  get currentKeyId(): string {
    return this.keys[0]!.id;
  }

  encrypt(plaintext: string, place: SecretPlace): string {
    const { id, key } = this.keys[0]!;
    // Random IVs are safe for 2^32 values under one key; these are secrets that people configure.
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(boundTo(place));
    const sealed = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${VERSION}.${id}.${sealed.toString('base64url')}`;
  }

  /** @throws UndecipherableError */
  decrypt(stored: string, place: SecretPlace): string {
    const [version, id, sealed] = stored.split('.');
    const key = this.keys.find((candidate) => candidate.id === id)?.key;
    if (version !== VERSION || !key || !sealed) throw new UndecipherableError(`no key with id "${id}"`);
    const bytes = Buffer.from(sealed, 'base64url');
    const body = bytes.subarray(IV_BYTES, -TAG_BYTES);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(boundTo(place))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(body, undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      throw new UndecipherableError(`${place.table}.${place.column} of row ${place.row} does not decrypt`, {
        cause: error,
      });
    }
  }

  /**
   * HMAC-SHA-256 (RFC 2104) of a text under each key, the current one first, in base64url: for values that every
   * process has to arrive at by itself.
   *
   * @param purpose keeps apart what is derived for different ends from the same text.
   */
  macs(purpose: string, text: string): string[] {
    return this.keys.map(({ macKey }) =>
      createHmac('sha256', macKey).update(`${purpose}\0${text}`).digest('base64url'),
    );
  }

  /** Whether a stored value is under a key of this ring. */
  knows(stored: string): boolean {
    return this.keys.some(({ id }) => stored.startsWith(`${VERSION}.${id}.`));
  }

  isCurrent(stored: string): boolean {
    return stored.startsWith(`${VERSION}.${this.currentKeyId}.`);
  }
}

/** A fresh master key in the form that MASTER_KEY takes. */
export function newMasterKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

function deriveKey(masterKey: string): RingKey {
  const bytes = Buffer.from(masterKey, 'base64');
  if (bytes.length !== KEY_BYTES) {
    throw new RangeError(`a master key has ${KEY_BYTES} bytes in base64; this one has ${bytes.length}`);
  }
  return {
    id: derive(bytes, 'ostiary key id', 6).toString('base64url'),
    key: derive(bytes, 'ostiary encryption', KEY_BYTES),
    macKey: derive(bytes, 'ostiary mac', KEY_BYTES),
  };
}

function derive(masterKey: Buffer, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), purpose, length));
}

function boundTo({ table, row, column }: SecretPlace): Buffer {
  return Buffer.from(`${table}/${row}/${column}`);
}
