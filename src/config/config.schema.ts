import { availableParallelism } from 'node:os';
import { z } from 'zod';

const positive = z.int().positive();
const port = z.int().min(0).max(65535);
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** libuv's pool, which the hashes run in, has four threads unless the environment says otherwise. */
const DEFAULT_THREAD_POOL_SIZE = 4;

/** More than any machine has processors; a slip of the finger should not start thousands of processes. */
const MOST_WORKERS = 256;

function isWorkerSetting(value: unknown): boolean {
  return value === 'auto' || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_WORKERS);
}

function databaseUrl(value: string): boolean {
  return /^sqlite:./.test(value) || /^postgres(ql)?:\/\/./.test(value);
}

const hostName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?$/i, { error: 'must be a host name' });

/** Filters of MQTT with placeholders. A wildcard is a level of its own, and `#` the last one. */
const topicFilters = z
  .array(
    z.string().regex(/^(?:(?:\+|[^+#\0/]*)\/)*(?:\+|#|[^+#\0/]*)$/, {
      error: 'must be a topic filter such as rooms/+/{user_id} or {app_id}/#',
    }),
  )
  .max(100);

const names = z.array(z.string().min(1).max(255)).max(100);

/** Where a secret is; never the secret itself. */
const secretReference = z.union(
  [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  { error: 'must be {env: NAME} or {file: path}' },
);

/** The file's shape: `config/*.yaml` overlaid with the environment. Unknown keys are faults. */
export const configSchema = z
  .strictObject({
    data_dir: z.string().min(1),
    master_key: z.string().min(1).nullable(),
    workers: z.custom<'auto' | number>(isWorkerSetting, {
      error: `must be auto or a whole number from 1 to ${MOST_WORKERS}`,
    }),
    server: z.strictObject({
      host: z.string().min(1),
      port,
      public_url: httpUrl.nullable(),
      trusted_proxies: z.array(
        z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
          error: 'must be an IP address or a CIDR range',
        }),
      ),
      body_limit_bytes: positive,
      request_timeout_seconds: positive,
      shutdown_seconds: positive.max(9),
    }),
    management: z.strictObject({ host: z.string().min(1), port: port.nullable() }),
    database: z.strictObject({
      url: z.string().refine(databaseUrl, { error: 'must be sqlite:<path> or postgres://…' }),
      pool_size: positive.max(1000),
      wait_milliseconds: positive,
      statement_milliseconds: positive,
      sqlite_synchronous: z.enum(['full', 'normal']),
      doorbell: z.boolean(),
      prepared_statements: z.boolean(),
    }),
    log: z.strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    }),
    audit: z.strictObject({ retention_days: positive.max(36_500) }),
    sessions: z.strictObject({
      cache_entries: positive.max(10_000_000),
      touch_flush_milliseconds: positive.max(60_000),
    }),
    outbound: z.strictObject({
      allow: z.array(
        z.string().regex(/^(?:[0-9a-f.:]+(?:\/\d{1,3})?|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/i, {
          error: 'must be a host name, an IP address or a CIDR range',
        }),
      ),
      connect_milliseconds: positive.max(60_000),
      total_milliseconds: positive.max(60_000),
      max_response_bytes: positive.max(16_777_216),
      connections_per_origin: positive.max(10_000),
    }),
    identity_providers: z.strictObject({
      sign_in_milliseconds: positive.max(60_000),
      calls_at_once: positive.max(10_000),
      calls_waiting: z.int().min(0).max(100_000),
      break_after_failures: positive.max(10_000),
      break_seconds: positive.max(3600),
      insecure_firebase_emulator_in_production: z.boolean(),
    }),
    jobs: z.strictObject({ enabled: z.boolean(), rest_milliseconds: z.int().min(0).max(60_000) }),
    passwords: z
      .strictObject({
        memory_kib: z.int().min(64).max(4_194_304),
        iterations: positive.max(100),
        parallelism: positive.max(64),
        pool_size: positive.nullable(),
        queue_limit: positive,
        insecure_weak_hashing: z.boolean(),
      })
      .superRefine(hashingIsStrongEnough)
      .superRefine(poolFitsItsThreads),
    chat: z.strictObject({
      remembered_sessions: positive.max(10_000_000),
      domain: hostName.nullable(),
      topics: z.strictObject({ read: topicFilters, write: topicFilters }),
      rabbitmq: z.strictObject({ vhosts: names, exchanges: names, queues: names }),
      turn: z
        .strictObject({
          urls: z
            .array(z.string().regex(/^turns?:[^\s]{1,500}$/, { error: 'must be a turn: or turns: URL' }))
            .min(1)
            .max(16),
          secret: secretReference,
          ttl_seconds: z.int().min(60).max(86_400).default(600),
        })
        .nullable(),
    }),
    throttle: z.strictObject({
      failures_per_user: positive,
      failures_per_user_window_seconds: positive,
      user_pause_seconds: positive,
      failures_per_address: positive,
      failures_per_address_window_seconds: positive,
      sign_ups_per_address: positive,
      sign_ups_per_address_window_seconds: positive,
      guests_per_address: positive,
      guests_per_address_window_seconds: positive,
    }),
  })
  .superRefine(postgresNeedsItsOwnKey);

export type RawConfig = z.infer<typeof configSchema>;

interface Hashing {
  memory_kib: number;
  iterations: number;
  insecure_weak_hashing: boolean;
}

/** OWASP's list of equivalents runs from 47104 KiB × 1 pass to 7168 KiB × 5; their product is about 36000. */
function hashingIsStrongEnough(section: Hashing, context: z.RefinementCtx): void {
  if (section.insecure_weak_hashing) return;
  if (section.memory_kib >= 7168 && section.memory_kib * section.iterations >= 35_840) return;
  context.addIssue({
    code: 'custom',
    path: ['memory_kib'],
    message:
      "with iterations, is weaker than OWASP's minimum for argon2id (at least 7168 KiB, and memory_kib × iterations at least 35840)",
  });
}

/** A pool as large as libuv's would let hashes hold up name look-ups and file reads. */
function poolFitsItsThreads(section: { pool_size: number | null }, context: z.RefinementCtx): void {
  if (section.pool_size === null || section.pool_size < threadPoolSize()) return;
  context.addIssue({
    code: 'custom',
    path: ['pool_size'],
    message: `must be less than the thread pool (${threadPoolSize()}); raise UV_THREADPOOL_SIZE in the environment first`,
  });
}

/** A generated key lies beside the SQLite file; on PostgreSQL each machine would make one of its own. */
function postgresNeedsItsOwnKey(
  config: { master_key: string | null; database: { url: string } },
  context: z.RefinementCtx,
): void {
  if (config.master_key !== null || config.database.url.startsWith('sqlite:')) return;
  context.addIssue({
    code: 'custom',
    path: ['master_key'],
    message: 'is needed with PostgreSQL: set MASTER_KEY to 32 bytes in base64 (openssl rand -base64 32)',
  });
}

function threadPoolSize(): number {
  const size = Number(process.env['UV_THREADPOOL_SIZE']);
  return Number.isInteger(size) && size > 0 ? size : DEFAULT_THREAD_POOL_SIZE;
}

/** The processes meant by the setting `workers`. */
export function workerCount(workers: RawConfig['workers']): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/**
 * The pool of one process when none is set: a processor and a pool thread stay free for everything else. All processes
 * share the same processors, and each has a thread pool of its own.
 */
export function defaultPoolSize(
  workers: number,
  processors = availableParallelism(),
  threads = threadPoolSize(),
): number {
  return Math.max(1, Math.min(Math.floor((processors - 1) / workers), threads - 1));
}
