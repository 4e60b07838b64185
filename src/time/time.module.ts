import { Module } from '@nestjs/common';
import { Clock, SystemClock } from './clock.js';

/** Owns the clock that every rule about time asks. */
@Module({
  providers: [{ provide: Clock, useClass: SystemClock }],
  exports: [Clock],
})
export class TimeModule {}
