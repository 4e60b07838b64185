import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Threads run what Node can run: the build, which the global setup keeps fresh. For `EmulatorWorkerEntry` in tests. */
export const builtEmulatorWorker = pathToFileURL(
  join(import.meta.dirname, '..', '..', '..', 'dist', 'social-auth', 'firebase', 'emulator-worker.js'),
);
