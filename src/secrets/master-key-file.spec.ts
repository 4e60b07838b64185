import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readKeyFile, readOrMakeKeyFile, writeKeyFile } from './master-key-file.js';

describe('the master key file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ostiary-key-'));
    file = join(folder, 'data', 'master.key');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, for its owner alone', () => {
    const [key] = readOrMakeKeyFile(file);
    expect(Buffer.from(key!, 'base64')).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readOrMakeKeyFile(file)).toEqual([key]);
    expect(readdirSync(join(folder, 'data'))).toEqual(['master.key']);
  });

  it('keeps the key of the process that was first', () => {
    readOrMakeKeyFile(file);
    writeFileSync(file, 'first\n');
    expect(readOrMakeKeyFile(file)).toEqual(['first']);
  });

  it('is replaced as a whole and stays for its owner alone', () => {
    readOrMakeKeyFile(file);
    writeKeyFile(file, ['new', 'old']);
    expect(readKeyFile(file)).toEqual(['new', 'old']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'data'))).toEqual(['master.key']);
  });
});
