import type { EmulatorPlace, EmulatorWorkers } from './emulator-workers.js';
import type { TokenJudge } from './token-judge.js';

/** Tokens that an emulator made, unsigned: the emulator is asked for the user, and that is all the proof there is. */
export class EmulatorJudge implements TokenJudge {
  readonly origin = 'unsigned';

  constructor(
    private readonly workers: EmulatorWorkers,
    private readonly place: EmulatorPlace,
    private readonly tenantId: string | undefined,
  ) {}

  judge(idToken: string, signal: AbortSignal): Promise<unknown> {
    return this.workers.ask(this.place, idToken, this.tenantId, signal);
  }
}
