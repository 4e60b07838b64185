/** Deliveries at once to one target: enough to hide the way there and back, too few to be a burden. */
const AT_ONCE_PER_TARGET = 4;

const FIRST_REST_MILLISECONDS = 500;
const LONGEST_REST_MILLISECONDS = 5000;

interface TargetState {
  underWay: number;
  /** In a row. */
  failures: number;
  restsUntil: number;
  /** Others wait for it that failed before it came back. */
  isBack: boolean;
}

/**
 * What this process knows of those it delivers to: how many deliveries are under way, and who is left alone for a
 * moment. A target that hangs or is down costs one attempt at a time, however many messages wait for it.
 */
export class OutboxTargets {
  private readonly states = new Map<string, TargetState>();

  /** How many more deliveries may begin now. */
  room(target: string, now: number): number {
    const state = this.states.get(target);
    if (!state) return AT_ONCE_PER_TARGET;
    if (state.failures === 0) return AT_ONCE_PER_TARGET - state.underWay;
    return state.underWay === 0 && (now >= state.restsUntil || isFromAnotherTime(state, now)) ? 1 : 0;
  }

  begin(target: string): void {
    this.stateOf(target).underWay += 1;
  }

  /** The delivery is over. */
  end(target: string): void {
    const state = this.stateOf(target);
    state.underWay -= 1;
    if (state.underWay === 0 && state.failures === 0 && !state.isBack) this.states.delete(target);
  }

  /** It did what it was asked. */
  succeeded(target: string): void {
    const state = this.stateOf(target);
    if (state.failures > 0) state.isBack = true;
    state.failures = 0;
  }

  /** It is at fault itself: others that wait for it would fare no better. */
  failed(target: string, now: number): void {
    const state = this.stateOf(target);
    state.failures += 1;
    state.isBack = false;
    const rest = FIRST_REST_MILLISECONDS * 2 ** Math.min(state.failures - 1, 10);
    state.restsUntil = now + Math.min(LONGEST_REST_MILLISECONDS, rest);
  }

  /** Whether it has come back and those that failed meanwhile are still to be hastened. */
  isBack(target: string): boolean {
    return this.states.get(target)?.isBack ?? false;
  }

  hastened(target: string): void {
    this.stateOf(target).isBack = false;
  }

  private stateOf(target: string): TargetState {
    let state = this.states.get(target);
    if (!state) this.states.set(target, (state = { underWay: 0, failures: 0, restsUntil: 0, isBack: false }));
    return state;
  }
}

/** A rest longer than any was counted by a clock that has been put back since. */
function isFromAnotherTime({ restsUntil }: TargetState, now: number): boolean {
  return restsUntil > now + LONGEST_REST_MILLISECONDS;
}
