import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { setUpApp } from './app.setup.js';
import type { Config } from './config/config.js';
import { isProduction, loadConfig } from './config/config.loader.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
import { Health } from './observability/health.js';
import { createLogger, type Logger } from './observability/logger.js';
import { ManagementServer } from './observability/management-server.js';
import { NestLogger } from './observability/nest-logger.js';
import { sayWhatStopped } from './start-failure.js';

/** Past this, whatever still hangs is cut: an orchestrator sends SIGKILL at ten seconds. */
const EXIT_GRACE_MILLISECONDS = 1000;

/** While stopping, connections whose last request was answered are closed this often. */
const CLOSE_IDLE_MILLISECONDS = 50;

async function main(): Promise<void> {
  const config = loadConfig();
  const logger = createLogger(config.log);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.of(config, logger),
    createFastifyAdapter(config.server),
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  await setUpApp(app);
  // Before anybody can know that it listens, and so send a signal.
  stopOnSignals(app, config, logger);
  await app.listen(config.server.port, config.server.host);
  const managementUrl = await app.get(ManagementServer).start();
  const url = await app.getUrl();
  logger.info({ url, management_url: managementUrl ?? url, database: config.database.kind }, 'listening');
  if (!isProduction()) greet(config.server.publicUrl ?? url);
}

function stopOnSignals(app: NestFastifyApplication, config: Config, logger: Logger): void {
  let stopping = false;
  const stop = (signal: string) => {
    // Somebody who asks twice does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, 'stopping');
    app.get(Health).beginShutdown();
    const limit = config.server.shutdownSeconds * 1000;
    // A request that arrived before the signal leaves its connection open for more, and nothing else would close it.
    setInterval(() => app.getHttpServer().closeIdleConnections(), CLOSE_IDLE_MILLISECONDS).unref();
    setTimeout(() => app.getHttpServer().closeAllConnections(), limit).unref();
    setTimeout(() => process.exit(1), limit + EXIT_GRACE_MILLISECONDS).unref();
    app.close().then(
      () => {
        logger.info({}, 'stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ error: String(error) }, 'stopped with an error');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
}

function greet(url: string): void {
  process.stderr.write(`
  Ostiary is at ${url}

  Next   npm run --silent ostiary -- apps create --name Demo
  Docs   ${url}/docs

`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${sayWhatStopped(error)}\n`);
  process.exit(1);
});
