import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { outlookFor } from './with-server.js';

describe('tests that need a chat server', () => {
  it('run where its program is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ostiary-path-'));
    try {
      const program = join(folder, 'prosody');
      writeFileSync(program, '');
      chmodSync(program, 0o755);
      expect(outlookFor('prosody', { PATH: `/nowhere:${folder}`, CI: 'true' })).toEqual({ do: 'run' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are left out where it is not, with what would help', () => {
    expect(outlookFor('prosody', { PATH: '/nowhere' }, [])).toEqual({
      do: 'leave out',
      because: expect.stringContaining('apt-get install --no-install-recommends prosody'),
    });
  });

  it('fail in CI, where nobody would read that', () => {
    expect(outlookFor('prosody', { PATH: '/nowhere', CI: 'true' }, []).do).toBe('fail');
  });
});
