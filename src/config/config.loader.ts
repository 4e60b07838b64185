import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { Config, DatabaseConfig } from './config.js';
import { configSchema, defaultPoolSize, workerCount, type RawConfig } from './config.schema.js';
import { readEnvironment, type Environment } from './environment.js';

/** Everything that is wrong with the configuration, one line a fault, each with its path. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  constructor(readonly faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.map((f) => `  - ${f}`).join('\n')}`,
    );
  }
}

type Tree = Record<string, unknown>;

/** The `config/` folder that ships beside `src/` and `dist/`. */
const SHIPPED = join(import.meta.dirname, '..', '..', 'config');

/**
 * Reads `config/default.yaml`, lays `config/<NODE_ENV>.yaml` and the environment over it, and parses the result once.
 *
 * @throws ConfigurationError naming every fault at once.
 */
export function loadConfig(env: Environment = process.env, directory = SHIPPED): Config {
  const { tree, faults } = readEnvironment(env);
  const layers = [readYaml(join(directory, 'default.yaml')), environmentFile(env, directory), tree];
  const parsed = configSchema.safeParse(layers.reduce(overlay, {}));
  if (!parsed.success) {
    faults.push(
      ...parsed.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`),
    );
  }
  const turnSecret = parsed.success ? readTurnSecret(parsed.data, env, faults) : null;
  if (faults.length > 0 || !parsed.success) throw new ConfigurationError(faults);
  return deepFreeze(toConfig(parsed.data, turnSecret));
}

/** Whether to leave out what is meant for a person at a terminal. */
export function isProduction(env: Environment = process.env): boolean {
  return env['NODE_ENV'] === 'production';
}

function environmentFile(env: Environment, directory: string): Tree {
  const name = env['NODE_ENV'];
  if (!name || !/^[a-z0-9_-]+$/i.test(name) || name === 'default') return {};
  const file = join(directory, `${name}.yaml`);
  return existsSync(file) ? readYaml(file) : {};
}

function readYaml(file: string): Tree {
  try {
    return (parseYaml(readFileSync(file, 'utf8')) as Tree | null) ?? {};
  } catch (error) {
    throw new ConfigurationError([`${file}: ${(error as Error).message}`]);
  }
}

/** Sections are merged key by key; lists and values are replaced. */
function overlay(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? overlay(below, value) : value;
  }
  return merged;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns null when there is no TURN server; a secret that cannot be had is added to the faults. */
function readTurnSecret({ chat: { turn } }: RawConfig, env: Environment, faults: string[]): string | null {
  if (turn === null) return null;
  const { secret: from } = turn;
  const place = 'env' in from ? `the environment variable ${from.env}` : 'the file';
  try {
    const secret = ('env' in from ? (env[from.env] ?? '') : readFileSync(from.file, 'utf8')).trim();
    if (secret === '') faults.push(`chat.turn.secret: ${place} is empty`);
    return secret;
  } catch {
    faults.push(`chat.turn.secret: ${place} cannot be read`);
    return null;
  }
}

function toConfig(raw: RawConfig, turnSecret: string | null): Config {
  const dataDir = resolve(raw.data_dir);
  const { server, passwords, throttle } = raw;
  const workers = workerCount(raw.workers);
  return {
    dataDir,
    workers,
    server: {
      host: server.host,
      port: server.port,
      publicUrl: server.public_url?.replace(/\/+$/, '') ?? null,
      trustedProxies: server.trusted_proxies,
      bodyLimitBytes: server.body_limit_bytes,
      requestTimeoutSeconds: server.request_timeout_seconds,
      shutdownSeconds: server.shutdown_seconds,
    },
    management: raw.management,
    database: toDatabase(raw.database, dataDir),
    secrets: {
      masterKeys: raw.master_key?.split(',').map((key) => key.trim()) ?? null,
      keyFile: join(dataDir, 'master.key'),
    },
    log: raw.log,
    audit: { retentionDays: raw.audit.retention_days },
    sessions: {
      cacheEntries: raw.sessions.cache_entries,
      touchFlushMilliseconds: raw.sessions.touch_flush_milliseconds,
    },
    outbound: {
      allow: raw.outbound.allow,
      connectMilliseconds: raw.outbound.connect_milliseconds,
      totalMilliseconds: raw.outbound.total_milliseconds,
      maxResponseBytes: raw.outbound.max_response_bytes,
      connectionsPerOrigin: raw.outbound.connections_per_origin,
    },
    identityProviders: {
      signInMilliseconds: raw.identity_providers.sign_in_milliseconds,
      callsAtOnce: raw.identity_providers.calls_at_once,
      callsWaiting: raw.identity_providers.calls_waiting,
      breakAfterFailures: raw.identity_providers.break_after_failures,
      breakSeconds: raw.identity_providers.break_seconds,
      insecureFirebaseEmulatorInProduction: raw.identity_providers.insecure_firebase_emulator_in_production,
    },
    jobs: { enabled: raw.jobs.enabled, restMilliseconds: raw.jobs.rest_milliseconds },
    passwords: {
      memoryKib: passwords.memory_kib,
      iterations: passwords.iterations,
      parallelism: passwords.parallelism,
      poolSize: passwords.pool_size ?? defaultPoolSize(workers),
      queueLimit: passwords.queue_limit,
    },
    chat: {
      rememberedSessions: raw.chat.remembered_sessions,
      domain: raw.chat.domain,
      topics: raw.chat.topics,
      rabbitmq: raw.chat.rabbitmq,
      turn: raw.chat.turn && {
        urls: raw.chat.turn.urls,
        secret: turnSecret!,
        ttlSeconds: raw.chat.turn.ttl_seconds,
      },
    },
    throttle: {
      processes: workers,
      failuresPerUser: {
        limit: throttle.failures_per_user,
        windowSeconds: throttle.failures_per_user_window_seconds,
        pauseSeconds: throttle.user_pause_seconds,
      },
      failuresPerAddress: perWindow(
        throttle.failures_per_address,
        throttle.failures_per_address_window_seconds,
      ),
      signUpsPerAddress: perWindow(
        throttle.sign_ups_per_address,
        throttle.sign_ups_per_address_window_seconds,
      ),
      guestsPerAddress: perWindow(throttle.guests_per_address, throttle.guests_per_address_window_seconds),
    },
  };
}

/** A plain rate: once used up, it opens again with the next window. */
function perWindow(limit: number, windowSeconds: number) {
  return { limit, windowSeconds, pauseSeconds: 0 };
}

function toDatabase(raw: RawConfig['database'], dataDir: string): DatabaseConfig {
  const path = raw.url.startsWith('sqlite:') ? raw.url.slice('sqlite:'.length) : null;
  return {
    kind: path === null ? 'postgres' : 'sqlite',
    location: path === null ? raw.url : isAbsolute(path) ? path : join(dataDir, path),
    poolSize: raw.pool_size,
    waitMilliseconds: raw.wait_milliseconds,
    statementMilliseconds: raw.statement_milliseconds,
    sqliteSynchronous: raw.sqlite_synchronous,
    doorbell: raw.doorbell,
    preparedStatements: raw.prepared_statements,
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  }
  return Object.freeze(value);
}
