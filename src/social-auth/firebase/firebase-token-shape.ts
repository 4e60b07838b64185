import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';

/** A name of another token's type (`at+jwt`, `logout+jwt`, RFC 9068) makes it no ID token; `crit` (RFC 7515) is refused. */
const type = z.literal('JWT').optional();
const signedHeader = z.looseObject({
  alg: z.literal('RS256'),
  kid: z.string().min(1).max(256),
  typ: type,
  crit: z.undefined().optional(),
});
const unsignedHeader = z.looseObject({ alg: z.literal('none'), typ: type, crit: z.undefined().optional() });

/** Custom tokens and session tokens of ours have no such claim. */
const payload = z.looseObject({ sub: z.string().min(1).max(128), firebase: z.looseObject({}) });

/** `signed` by Google, or `unsigned` by an emulator. Which of the two is decided by the definition, never by the token. */
export type TokenOrigin = 'signed' | 'unsigned';

/**
 * What can be said of a token before anybody is asked: three parts, the one algorithm, the claims of a Firebase ID
 * token. Proves nothing; it keeps what is no ID token at all away from the library, whose errors do not tell such
 * tokens from trouble of its own.
 *
 * @throws BrokerError `invalid_credentials`
 */
export function checkTokenShape(idToken: string, origin: TokenOrigin): void {
  const parts = origin === 'signed' ? /^([\w-]+)\.([\w-]+)\.[\w-]+$/ : /^([\w-]+)\.([\w-]+)\.$/;
  const [, first, second] = parts.exec(idToken) ?? [];
  const header = origin === 'signed' ? signedHeader : unsignedHeader;
  if (!header.safeParse(decoded(first)).success || !payload.safeParse(decoded(second)).success) {
    throw new BrokerError('invalid_credentials', {
      cause: new Error('not the shape of a Firebase ID token'),
    });
  }
}

function decoded(part: string | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
