import type { Config } from './config/config.js';
import { greet } from './greeting.js';
import { createLogger } from './observability/logger.js';
import { ServingProcess } from './serving-process.js';
import { onStopSignal } from './stop-signals.js';

/** Serves in this process and no other. */
export async function serveAlone(config: Config): Promise<void> {
  const logger = createLogger(config.log);
  const server = await ServingProcess.create(config, logger);
  // Before anybody can know that it listens, and so send a signal.
  onStopSignal((signal) => {
    // Somebody who asks twice does not want to wait.
    if (server.isStopping) process.exit(1);
    logger.info({ signal }, 'stopping');
    void server.stop().then((status) => {
      if (status === 0) logger.info({}, 'stopped');
      process.exit(status);
    });
  });
  const { url, managementUrl } = await server.listen();
  logger.info({ url, management_url: managementUrl, database: config.database.kind }, 'listening');
  greet(config.server.publicUrl ?? url);
}
