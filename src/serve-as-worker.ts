import { loadConfig } from './config/config.loader.js';
import { createLogger } from './observability/logger.js';
import { ServingProcess } from './serving-process.js';
import { sayWhatStopped } from './start-failure.js';
import { onStopSignal } from './stop-signals.js';
import { ParentLink } from './workers/parent-link.js';

/** Serves as one of several workers. What there is to say about start and end, the parent says for all of them. */
export async function serveAsWorker(): Promise<void> {
  const parent = ParentLink.open();
  try {
    await serve(parent);
  } catch (error) {
    await parent.sayFailed(sayWhatStopped(error));
    process.exit(1);
  }
}

async function serve(parent: ParentLink): Promise<void> {
  const config = loadConfig();
  const logger = createLogger(config.log);
  const server = await ServingProcess.create(config, logger, parent);
  const stop = () => {
    // A terminal and a service manager send their signal to parent and workers alike, and the parent passes it on: two
    // of them are not two requests. Who does not want to wait says so to the parent, which then kills.
    if (server.isStopping) return;
    void server.stop().then((status) => process.exit(status));
  };
  onStopSignal(stop);
  parent.onGone(() => {
    logger.error({}, 'the parent process is gone, stopping');
    stop();
  });
  parent.offerSnapshots(() => server.snapshot());
  await parent.sayServing(await server.listen());
}
