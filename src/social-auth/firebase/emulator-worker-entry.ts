import { Injectable } from '@nestjs/common';

/** Where the built worker is: a thread needs a file that Node can run. */
@Injectable()
export class EmulatorWorkerEntry {
  readonly url: URL = new URL('./emulator-worker.js', import.meta.url);
}
