/*
 * The typed sections. Each is an injection token of its own, so that a constructor shows which settings it
 * depends on. Values are frozen and were parsed once, at start.
 */

export abstract class ServerConfig {
  abstract readonly host: string;
  abstract readonly port: number;
  /** Origin and path under which clients reach this server; null: derived from the listening address. */
  abstract readonly publicUrl: string | null;
  abstract readonly trustedProxies: readonly string[];
  abstract readonly bodyLimitBytes: number;
  abstract readonly requestTimeoutSeconds: number;
  abstract readonly shutdownSeconds: number;
}

export abstract class ManagementConfig {
  abstract readonly host: string;
  /** Null: /health and /metrics are on the main port. */
  abstract readonly port: number | null;
}

export abstract class DatabaseConfig {
  abstract readonly kind: 'sqlite' | 'postgres';
  /** Absolute path of the SQLite file, or the PostgreSQL connection URL. */
  abstract readonly location: string;
  abstract readonly poolSize: number;
  abstract readonly waitMilliseconds: number;
  abstract readonly statementMilliseconds: number;
  abstract readonly sqliteSynchronous: 'full' | 'normal';
  /** Whether to hear of other processes' writes at once, and not only by looking twice a second. */
  abstract readonly doorbell: boolean;
  /** PostgreSQL: whether connections keep statements prepared. */
  abstract readonly preparedStatements: boolean;
}

export abstract class SecretsConfig {
  /** Base64 keys, the current one first; null: kept in `keyFile`. */
  abstract readonly masterKeys: readonly string[] | null;
  /** Where a generated key lies when none is configured. */
  abstract readonly keyFile: string;
}

export abstract class LogConfig {
  abstract readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

export abstract class AuditConfig {
  abstract readonly retentionDays: number;
}

export abstract class SessionsConfig {
  abstract readonly cacheEntries: number;
  abstract readonly touchFlushMilliseconds: number;
}

export abstract class OutboundConfig {
  /** Addresses, ranges and names that may be dialled although they are not public. */
  abstract readonly allow: readonly string[];
  abstract readonly connectMilliseconds: number;
  abstract readonly totalMilliseconds: number;
  /** After decompression. */
  abstract readonly maxResponseBytes: number;
  abstract readonly connectionsPerOrigin: number;
}

export abstract class IdentityProvidersConfig {
  /** For everything a provider has to answer for one sign-in. */
  abstract readonly signInMilliseconds: number;
  /** For each provider in each process; more wait, and more than may wait are refused. */
  abstract readonly callsAtOnce: number;
  abstract readonly callsWaiting: number;
  /** Failures in a row after which a provider is left alone for a while. */
  abstract readonly breakAfterFailures: number;
  abstract readonly breakSeconds: number;
  abstract readonly insecureFirebaseEmulatorInProduction: boolean;
}

export abstract class JobsConfig {
  /** Whether this process does jobs while it serves. */
  abstract readonly enabled: boolean;
  abstract readonly restMilliseconds: number;
}

export abstract class PasswordsConfig {
  abstract readonly memoryKib: number;
  abstract readonly iterations: number;
  abstract readonly parallelism: number;
  abstract readonly poolSize: number;
  abstract readonly queueLimit: number;
}

export abstract class ChatConfig {
  /** Sessions of which each process knows what they have opened. */
  abstract readonly rememberedSessions: number;
  /** The host that ejabberd is told a token's user is at, where its own question does not say; null: that of `publicUrl`. */
  abstract readonly domain: string | null;
  /** MQTT filters with `{user_id}`, `{app_id}` and `{username}`. */
  abstract readonly topics: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Names with `*` and the same placeholders. */
  abstract readonly rabbitmq: {
    readonly vhosts: readonly string[];
    readonly exchanges: readonly string[];
    readonly queues: readonly string[];
  };
  /** Null: there is no TURN server. */
  abstract readonly turn: TurnSettings | null;
}

export interface TurnSettings {
  readonly urls: readonly string[];
  /** coturn's `static-auth-secret`. */
  readonly secret: string;
  readonly ttlSeconds: number;
}

/** At most `limit` within `windowSeconds`; then refused for `pauseSeconds`. */
export interface ThrottleRule {
  readonly limit: number;
  readonly windowSeconds: number;
  readonly pauseSeconds: number;
}

export abstract class ThrottleConfig {
  /** How many processes count side by side. */
  abstract readonly processes: number;
  abstract readonly failuresPerUser: ThrottleRule;
  abstract readonly failuresPerAddress: ThrottleRule;
  abstract readonly signUpsPerAddress: ThrottleRule;
  abstract readonly guestsPerAddress: ThrottleRule;
}

/** All sections at once: what the loader returns and `config check` shows. */
export interface Config {
  readonly dataDir: string;
  /** Processes that serve; with more than one, a parent that starts them comes on top. */
  readonly workers: number;
  readonly server: ServerConfig;
  readonly management: ManagementConfig;
  readonly database: DatabaseConfig;
  readonly secrets: SecretsConfig;
  readonly log: LogConfig;
  readonly audit: AuditConfig;
  readonly sessions: SessionsConfig;
  readonly outbound: OutboundConfig;
  readonly identityProviders: IdentityProvidersConfig;
  readonly jobs: JobsConfig;
  readonly passwords: PasswordsConfig;
  readonly chat: ChatConfig;
  readonly throttle: ThrottleConfig;
}
