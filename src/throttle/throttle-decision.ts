import type { ThrottleRule } from '../config/config.js';

/** What is known about one key when a try comes in. Instants in milliseconds since the epoch. */
export interface ThrottleState {
  readonly count: number;
  readonly windowEndsAt: number;
  readonly pausedUntil: number;
  /** Tries under way in this process, whose outcome is not counted yet. */
  readonly inFlight: number;
}

/**
 * Whether one more try may begin.
 *
 * A rule with a pause lets single tries through once the pause is over, each renewing it when it fails: the owner of
 * the account is never shut out for longer than one pause, and a guesser gets one try for each. A rule without one
 * stays shut until its window ends.
 *
 * With a pause, every other process is taken to have as many tries under way as this one: of guesses sent to all of them
 * at once, each would else try as many as the limit has left. Without a pause this is not done: the wait is long, and would
 * hit a backend that signs many people in from one address when its connections are spread unevenly.
 *
 * @param processes of this server, which let tries begin without knowing of those under way in each other.
 * @returns null, or for how many seconds not to try.
 */
export function secondsToWait(
  state: ThrottleState,
  rule: ThrottleRule,
  now: number,
  processes: number,
): number | null {
  if (state.pausedUntil > now) return (state.pausedUntil - now) / 1000;
  const count = state.windowEndsAt > now ? state.count : 0;
  const room = rule.limit - count;
  if (rule.pauseSeconds > 0) return state.inFlight * processes < Math.max(1, room) ? null : 1;
  return state.inFlight < room ? null : Math.max(1, (state.windowEndsAt - now) / 1000);
}
