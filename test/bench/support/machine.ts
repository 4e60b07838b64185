import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRODUCT_VERSION } from '../../../src/version.js';
import { median } from './statistics.js';

const SYNC_TRIES = 51;

/** What the figures depend on and the reader cannot know. */
export function machineFacts(): Record<string, string | number> {
  return {
    ostiary: PRODUCT_VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    // Above nothing: other work runs here, and takes its part of what a server could do.
    'load average before': loadavg()[0]!.toFixed(2),
    'write and sync of 4 KiB': `${syncMilliseconds().toPrecision(2)} ms (median; temporary folder)`,
  };
}

/** A temporary folder in memory makes every commit free; this figure tells. */
function syncMilliseconds(): number {
  const folder = mkdtempSync(join(tmpdir(), 'ostiary-bench-'));
  const file = openSync(join(folder, 'sync'), 'w');
  try {
    const page = Buffer.alloc(4096);
    const times = Array.from({ length: SYNC_TRIES }, () => {
      const startedAt = performance.now();
      writeSync(file, page);
      fdatasyncSync(file);
      return performance.now() - startedAt;
    });
    return median(times);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
