import { Injectable } from '@nestjs/common';
import { Secrets } from '../secrets/secrets.js';

const PURPOSE = 'identity provider secret';
const CHARACTERS = 12;

/** What is shown of a secret: the same for the same secret, and nothing that leads back to it. */
@Injectable()
export class SecretFingerprints {
  constructor(private readonly secrets: Secrets) {}

  of(secret: string): string {
    return this.secrets.macs(PURPOSE, secret)[0]!.slice(0, CHARACTERS);
  }
}
