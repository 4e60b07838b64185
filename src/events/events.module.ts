import { Global, Module } from '@nestjs/common';
import { DomainEvents } from './domain-events.js';

/** Owns the bus over which features tell each other what happened, so that none has to know the other. */
@Global()
@Module({ providers: [DomainEvents], exports: [DomainEvents] })
export class EventsModule {}
