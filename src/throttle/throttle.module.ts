import { Module } from '@nestjs/common';
import { TimeModule } from '../time/time.module.js';
import { Throttle } from './throttle.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

/** Owns the counting of tries. Which tries count, and what a refusal looks like, is the caller's business. */
@Module({ imports: [TimeModule], providers: [Throttle, ThrottleCounterRepository], exports: [Throttle] })
export class ThrottleModule {}
