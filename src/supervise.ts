import type { Config } from './config/config.js';
import { greet } from './greeting.js';
import { createLogger } from './observability/logger.js';
import { onStopSignal } from './stop-signals.js';
import { WorkerGroup } from './workers/worker-group.js';
import { WorkerStartError } from './workers/worker-process.js';

/** The parent of several workers. It serves nobody itself and opens no database. */
export async function supervise(config: Config): Promise<void> {
  const logger = createLogger(config.log);
  const { server, workers } = config;
  const group = new WorkerGroup(workers, server.shutdownSeconds, logger);
  // Before there is a worker that a signal could leave behind.
  onStopSignal((signal) => {
    if (group.isStopping) {
      // Somebody who asks twice does not want to wait.
      group.kill();
      process.exit(1);
    }
    logger.info({ signal }, 'stopping');
    void group.stop().then((isClean) => {
      if (isClean) logger.info({}, 'stopped');
      else logger.error({}, 'stopped with an error');
      process.exit(isClean ? 0 : 1);
    });
  });
  try {
    const { url, managementUrl } = await group.start();
    const fields = { url, management_url: managementUrl, database: config.database.kind, workers };
    logger.info(fields, 'listening');
    greet(server.publicUrl ?? url);
  } catch (error) {
    // Told to stop while it started; that ends this process.
    if (group.isStopping) return;
    if (!(error instanceof WorkerStartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    // A start is all or nothing: fewer workers than asked for would go unnoticed.
    await group.stop();
    process.exit(1);
  }
}
