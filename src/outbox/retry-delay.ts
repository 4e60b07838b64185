const FIRST_MILLISECONDS = 1000;
const LONGEST_MILLISECONDS = 5 * 60_000;

/** For so long a message is tried again; then it is kept as failed. */
export const GIVE_UP_AFTER_MILLISECONDS = 24 * 60 * 60_000;

/**
 * How long after its `attempts`-th failure a message is tried again: 1 s, 2 s, 4 s, … 5 min, a random part of a half
 * less, so that what failed together does not come back together.
 *
 * @param random from 0 to 1. @returns milliseconds
 */
export function retryDelay(attempts: number, random: number): number {
  const full = Math.min(LONGEST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** Math.min(attempts - 1, 20));
  return Math.round(full * (1 - random / 2));
}
