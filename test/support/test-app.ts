import 'reflect-metadata';
import { Writable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import type { AdminRole } from '../../src/admin-keys/admin-key.js';
import { AdminKeysService } from '../../src/admin-keys/admin-keys.service.js';
import { AppModule } from '../../src/app.module.js';
import { setUpApp } from '../../src/app.setup.js';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import { loadConfig } from '../../src/config/config.loader.js';
import { createFastifyAdapter } from '../../src/http/fastify-adapter.js';
import { createLogger } from '../../src/observability/logger.js';
import { NestLogger } from '../../src/observability/nest-logger.js';
import { NameResolver } from '../../src/outbound/name-resolver.js';
import { Clock } from '../../src/time/clock.js';
import { ApiClient } from './api-client.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from './databases.js';
import { ManualClock } from './manual-clock.js';
import { TestNames } from './test-names.js';

export interface TestAppOptions {
  /** More environment: `OSTIARY_THROTTLE__FAILURES_PER_USER` and the like. */
  readonly env?: Readonly<Record<string, string>>;
  /** An app on a database that is there already, as a second process would be. */
  readonly database?: TestDatabase;
}

/** The whole server in this process, listening on a free port, on a database of its own, with a clock that stands still and no DNS. */
export class TestApp {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly url: string,
    readonly clock: ManualClock,
    /** The host names there are. */
    readonly names: TestNames,
    readonly database: TestDatabase,
    private readonly ownsDatabase: boolean,
    private readonly logged: string[],
  ) {}

  static async start(kind: DatabaseKind, { env = {}, database }: TestAppOptions = {}): Promise<TestApp> {
    const ownDatabase = database ?? (await createDatabase(kind));
    const config = loadConfig({ PORT: '0', LOG_LEVEL: 'debug', ...ownDatabase.env, ...env });
    const logged: string[] = [];
    const logger = createLogger(config.log, intoList(logged));
    const clock = new ManualClock();
    const names = new TestNames();
    const standIn = (instance: unknown) => {
      if (instance instanceof Clock) return clock;
      return instance instanceof NameResolver ? names : instance;
    };
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.of(config, logger),
      createFastifyAdapter(config.server),
      {
        logger: new NestLogger(logger),
        bodyParser: false,
        abortOnError: false,
        preview: false,
        instrument: { instanceDecorator: standIn },
      },
    );
    await setUpApp(app);
    await app.listen(0, '127.0.0.1');
    return new TestApp(app, await app.getUrl(), clock, names, ownDatabase, database === undefined, logged);
  }

  /** Everything logged so far, as JSON lines. */
  get log(): string {
    return this.logged.join('');
  }

  get api(): ApiClient {
    return new ApiClient(this.url);
  }

  async createApplication(settings: Record<string, unknown> = {}, name = 'Test'): Promise<Application> {
    const applications = this.app.get(ApplicationsService, { strict: false });
    const { id } = await applications.create(name);
    return (await applications.set(id, settings))!;
  }

  /** A key of the admin API, as the command line would make it. */
  async createAdminKey(role: AdminRole): Promise<string> {
    return (await this.app.get(AdminKeysService, { strict: false }).create(role, null)).key;
  }

  async stop(): Promise<void> {
    await this.app.close();
    if (this.ownsDatabase) await this.database.remove();
  }
}

/** A stream whose lines end up in the list. */
export function intoList(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
}
