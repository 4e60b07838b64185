/*
 * Loaded into the server by `node --import` from the command line: tells the process that started it how much memory
 * is in use once nothing unreachable is left. Needs `--expose-gc`.
 */

/** Finalisers run between collections and free more. */
const COLLECTIONS = 4;

process.on('message', async () => {
  for (let i = 0; i < COLLECTIONS; i += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send({ heapBytes: heapUsed, externalBytes: external, residentBytes: rss });
});
process.channel?.unref();
