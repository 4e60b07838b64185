import cluster from 'node:cluster';
import { loadConfig } from './config/config.loader.js';

/** One process that serves; or, with several workers, the parent that starts them, or one of them. */
async function main(): Promise<void> {
  if (cluster.isWorker) return (await import('./serve-as-worker.js')).serveAsWorker();
  const config = loadConfig();
  // Loaded where it is needed: what the parent does not do should not take its memory.
  if (config.workers > 1) return (await import('./supervise.js')).supervise(config);
  return (await import('./serve-alone.js')).serveAlone(config);
}

main().catch(async (error: unknown) => {
  const { sayWhatStopped } = await import('./start-failure.js');
  process.stderr.write(`${sayWhatStopped(error)}\n`);
  process.exit(1);
});
