const FIRST_PAUSE_MILLISECONDS = 1000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/** A worker that served for so long was well: its end is the first one again. */
export const WELL_AFTER_MILLISECONDS = 60_000;

/**
 * How long to wait before a worker is replaced: not at all when one dies for once, and longer each time when something
 * kills each in turn, so that the machine is not busy with nothing but starting them.
 *
 * @param endsInARow ends of this worker and of those it replaced, without one that was well between them; at least 1.
 */
export function restartDelayMilliseconds(endsInARow: number): number {
  if (endsInARow <= 1) return 0;
  return Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** (endsInARow - 2));
}
