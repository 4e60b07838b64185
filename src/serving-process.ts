import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { setUpApp } from './app.setup.js';
import type { Config } from './config/config.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
import { JobRunner } from './jobs/job-runner.js';
import type { Exposition } from './observability/exposition.js';
import { Health } from './observability/health.js';
import type { Logger } from './observability/logger.js';
import { ManagementServer } from './observability/management-server.js';
import { Metrics } from './observability/metrics.js';
import type { MetricsSnapshot } from './observability/metrics-snapshot.js';
import { NestLogger } from './observability/nest-logger.js';
import { OutboxRunner } from './outbox/outbox-runner.js';
import type { ServingAddress } from './workers/messages.js';

/** Past this, whatever still hangs is cut: an orchestrator sends SIGKILL at ten seconds. */
const EXIT_GRACE_MILLISECONDS = 1000;

/** While stopping, connections whose last request was answered are closed this often. */
const CLOSE_IDLE_MILLISECONDS = 50;

/** One process that serves, alone or beside others: how it starts and how it ends. Who may end it, others decide. */
export class ServingProcess {
  private stopping = false;

  private constructor(
    private readonly app: NestFastifyApplication,
    private readonly config: Config,
    private readonly logger: Logger,
  ) {}

  /**
   * Opens the installation, which migrates and makes the key where that was not done yet.
   *
   * @param exposition what /metrics answers with; null: with what this process counts.
   * @throws what `sayWhatStopped` has a sentence for.
   */
  static async create(
    config: Config,
    logger: Logger,
    exposition: Exposition | null = null,
  ): Promise<ServingProcess> {
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.of(config, logger, exposition),
      createFastifyAdapter(config.server),
      { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
    );
    await setUpApp(app);
    return new ServingProcess(app, config, logger);
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  async listen(): Promise<ServingAddress> {
    await this.app.listen(this.config.server.port, this.config.server.host);
    const managementUrl = await this.app.get(ManagementServer).start();
    this.app.get(JobRunner).start();
    this.app.get(OutboxRunner).start();
    const url = await this.app.getUrl();
    return { url, managementUrl: managementUrl ?? url };
  }

  /** What this process counts. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.app.get(Metrics).snapshot();
  }

  /**
   * Answers what is in flight, writes what is pending, and cuts what takes longer than `server.shutdown_seconds`. To be
   * called once.
   *
   * @returns the exit status: 0, or 1 when something failed or had to be left.
   */
  async stop(): Promise<number> {
    this.stopping = true;
    this.app.get(Health).beginShutdown();
    const limit = this.config.server.shutdownSeconds * 1000;
    // A request that arrived before the signal leaves its connection open for more, and nothing else would close it.
    setInterval(() => this.app.getHttpServer().closeIdleConnections(), CLOSE_IDLE_MILLISECONDS).unref();
    setTimeout(() => this.app.getHttpServer().closeAllConnections(), limit).unref();
    const cut = new Promise<number>((resolve) =>
      setTimeout(() => resolve(1), limit + EXIT_GRACE_MILLISECONDS).unref(),
    );
    return Promise.race([this.close(), cut]);
  }

  private async close(): Promise<number> {
    try {
      await this.app.close();
      return 0;
    } catch (error) {
      this.logger.error({ error: String(error) }, 'stopped with an error');
      return 1;
    }
  }
}
