import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';
import { ConfigurationError, loadConfig } from './config.loader.js';

const KEY = Buffer.alloc(32, 1).toString('base64');

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
};

describe('loadConfig', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ostiary-config-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('needs no environment at all', () => {
    const config = loadConfig({});
    expect(config.server).toMatchObject({ host: '127.0.0.1', port: 8080, bodyLimitBytes: 262144 });
    expect(config.database).toMatchObject({ kind: 'sqlite', location: join(config.dataDir, 'ostiary.db') });
    expect(config.passwords).toMatchObject({ memoryKib: 19456, iterations: 2, parallelism: 1 });
  });

  it('lets the environment override every setting, named ones and others', () => {
    const config = loadConfig({
      PORT: '9000',
      HOST: '::1',
      TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1',
      OSTIARY_SESSIONS__CACHE_ENTRIES: '5',
      OSTIARY_MANAGEMENT__PORT: '9001',
    });
    expect(config.server).toMatchObject({
      port: 9000,
      host: '::1',
      trustedProxies: ['10.0.0.0/8', '127.0.0.1'],
    });
    expect(config.sessions.cacheEntries).toBe(5);
    expect(config.management.port).toBe(9001);
  });

  it('reports all faults together, each with its path', () => {
    const faults = faultsOf({
      PORT: 'eighty',
      PUBLIC_URL: 'ftp://x',
      DATABASE_URL: 'mysql://x',
      TRUSTED_PROXIES: 'proxy.example',
      LOG_LEVEL: 'loud',
      WORKERS: 'many',
      OSTIARY_NO_SUCH__THING: '1',
      OSTIARY_PASSWORDS__MEMORY_KIB: '1024',
      OSTIARY_PASSWORDS__POOL_SIZE: '64',
    });
    for (const path of [
      'server.port',
      'server.public_url',
      'database.url',
      'server.trusted_proxies.0',
      'log.level',
      'workers',
      'no_such',
      'passwords.memory_kib',
      'passwords.pool_size',
    ]) {
      expect(faults.join('\n')).toContain(path);
    }
  });

  it('names the setting whose value in the environment is not YAML', () => {
    expect(faultsOf({ PORT: '{', OSTIARY_LOG__LEVEL: '[' })).toEqual([
      'server.port: PORT is not YAML',
      'log.level: OSTIARY_LOG__LEVEL is not YAML',
    ]);
  });

  it('takes one worker, a number of them, or one for each processor', () => {
    expect(loadConfig({}).workers).toBe(1);
    expect(loadConfig({ WORKERS: '3' }).workers).toBe(3);
    expect(loadConfig({ WORKERS: 'auto' }).workers).toBe(availableParallelism());
  });

  it.each(['0', '-1', '1.5', '257', 'many', 'true', '[2]'])('refuses %s workers', (WORKERS) => {
    expect(faultsOf({ WORKERS })).toEqual(['workers: must be auto or a whole number from 1 to 256']);
  });

  it('refuses PostgreSQL without a master key', () => {
    const DATABASE_URL = 'postgres://u:p@localhost/x';
    expect(faultsOf({ DATABASE_URL }).join()).toContain('master_key');
    expect(faultsOf({ DATABASE_URL, MASTER_KEY: KEY })).toEqual([]);
  });

  it('reads secrets from files, and says when one cannot be read', () => {
    const file = join(directory, 'key');
    writeFileSync(file, `${KEY}\n`);
    expect(loadConfig({ MASTER_KEY_FILE: file }).secrets.masterKeys).toEqual([KEY]);
    expect(faultsOf({ MASTER_KEY_FILE: join(directory, 'nothing') })).toEqual([
      'MASTER_KEY_FILE: the file cannot be read',
    ]);
  });

  it('reads the secret of a TURN server from where the setting says', () => {
    const turn = (secret: string) => `{urls: ["turn:turn.example.com:3478"], secret: ${secret}}`;
    const load = (env: Record<string, string>) => loadConfig(env).chat.turn;
    const settings = { urls: ['turn:turn.example.com:3478'], secret: 'north-remembers', ttlSeconds: 600 };
    expect(load({})).toBeNull();
    expect(load({ OSTIARY_CHAT__TURN: turn('{env: TURN_SECRET}'), TURN_SECRET: 'north-remembers' })).toEqual(
      settings,
    );
    expect(() => load({ OSTIARY_CHAT__TURN: turn('{env: TURN_SECRET}') })).toThrow(
      'chat.turn.secret: the environment variable TURN_SECRET is empty',
    );
    expect(() => load({ OSTIARY_CHAT__TURN: turn('{file: /nowhere}') })).toThrow(
      'chat.turn.secret: the file cannot be read',
    );
    expect(() => load({ OSTIARY_CHAT__TURN: turn('north-remembers') })).toThrow('chat.turn.secret: must be');
  });

  it.each(['a/#/b', 'a+/b', 'a#'])('refuses %s for a topic filter', (filter) => {
    expect(() => loadConfig({ OSTIARY_CHAT__TOPICS__READ: `["${filter}"]` })).toThrow('chat.topics.read.0');
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ PORT: '', MASTER_KEY: '' }).server.port).toBe(8080);
  });

  it('lays the file of the environment over the defaults', () => {
    writeFileSync(
      join(directory, 'default.yaml'),
      readFileSync(join(import.meta.dirname, '../../config/default.yaml')),
    );
    writeFileSync(join(directory, 'staging.yaml'), 'server:\n  port: 7000\n');
    expect(loadConfig({ NODE_ENV: 'staging' }, directory).server).toMatchObject({
      port: 7000,
      host: '127.0.0.1',
    });
    expect(loadConfig({ NODE_ENV: 'staging', PORT: '7001' }, directory).server.port).toBe(7001);
  });

  it('hands out what nobody can change', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.server)).toBe(true);
  });
});

describe('config/default.yaml', () => {
  it('explains every setting in a line above it', () => {
    const document = parseDocument(
      readFileSync(join(import.meta.dirname, '../../config/default.yaml'), 'utf8'),
    );
    const silent: string[] = [];
    const walk = (map: YAMLMap, path: string) => {
      map.items.forEach((pair, index) => {
        const name = isScalar(pair.key) ? String(pair.key.value) : '?';
        if (isMap(pair.value)) return walk(pair.value, `${path}${name}.`);
        // The comment above the first key of a map belongs to the map.
        const comment =
          (pair.key as { commentBefore?: string }).commentBefore ?? (index === 0 && map.commentBefore);
        if (!comment) silent.push(path + name);
      });
    };
    walk(document.contents as YAMLMap, '');
    expect(silent.filter((name) => !PAIRED_WITH_THE_LINE_ABOVE.test(name))).toEqual([]);
  });
});

/** Explained together with the setting before them. */
const PAIRED_WITH_THE_LINE_ABOVE =
  /^(data_dir|management\.(host|port)|passwords\.(iterations|parallelism)|throttle\.(\w+_window_seconds|user_pause_seconds))$/;
