import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import { OutboundConfig } from '../config/config.js';
import { AddressGuard } from './address-guard.js';
import { NameResolver } from './name-resolver.js';
import { RefusedAddressError, type Refusal } from './outbound-errors.js';

/** Somebody waits for their definition to be saved, and the check that counts is made whenever a connection is. */
const WAIT_MILLISECONDS = 1500;

/** `unresolved`: nobody could say in time where the name leads. */
export type DestinationVerdict = 'permitted' | 'unresolved' | Refusal;

/**
 * Judges addresses before anything is sent to them, so that whoever writes one down hears of it at once. What a name
 * leads to later may be something else: the client judges again what it dials.
 */
@Injectable()
export class DestinationCheck {
  private readonly guard: AddressGuard;

  constructor({ allow }: OutboundConfig, names: NameResolver) {
    this.guard = new AddressGuard(allow, names);
  }

  /** Asks DNS, for at most a moment: never call it inside a transaction. */
  async judge(url: URL): Promise<DestinationVerdict> {
    try {
      this.guard.checkUrl(url);
      if (isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0) await inTime(this.guard.resolve(url.hostname));
      return 'permitted';
    } catch (error) {
      return error instanceof RefusedAddressError ? error.refusal : 'unresolved';
    }
  }
}

async function inTime(answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), WAIT_MILLISECONDS);
  });
  try {
    await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
