/** The user that a chat address names. */
export interface ChatUserName {
  readonly userId: number;
  readonly applicationId: number;
  /**
   * What the chat server itself says beside the name, lower-cased; null where it says none. One that stands in the name
   * alone is for whoever logs in to choose, and could be another one each time.
   */
  readonly domain: string | null;
}

/** What the database can number; PostgreSQL would not even compare a larger one. */
const MAX_ID = 2 ** 31 - 1;

const MAX_NAME = 300;

/** Exactly so, or `07-1` and full-width digits become other names of the same user. */
const NAME = /^([1-9]\d{0,9})-([1-9]\d{0,9})(?:@(.*))?$/s;

/** What a domain may hold as far as anything here does with it: it is compared, stored and handed on. */
const DOMAIN = /^[\x21-\x2e\x30-\x3f\x41-\x7e\x80-\u{10ffff}]{1,255}$/u;

/**
 * Reads `userId-applicationId`, with `@domain` at the end or without.
 *
 * @param domain what the chat server says beside the name; empty text is none.
 * @returns null for text that names nobody, and where the two domains differ.
 */
export function parseChatUserName(text: string, domain: string | null): ChatUserName | null {
  if (text.length > MAX_NAME) return null;
  const match = NAME.exec(text);
  if (match === null) return null;
  const userId = Number(match[1]);
  const applicationId = Number(match[2]);
  if (userId > MAX_ID || applicationId > MAX_ID) return null;
  const own = match[3] === undefined ? null : readDomain(match[3]);
  const given = domain === null || domain === '' ? null : readDomain(domain);
  if (own === undefined || given === undefined) return null;
  if (own !== null && given !== null && own !== given) return null;
  return { userId, applicationId, domain: given };
}

/** The name as chat servers know it, without a domain. */
export function chatUserName({ userId, applicationId }: { userId: number; applicationId: number }): string {
  return `${userId}-${applicationId}`;
}

/** @returns undefined for text that is no domain. */
function readDomain(text: string): string | undefined {
  return DOMAIN.test(text) && text.isWellFormed() ? text.toLowerCase() : undefined;
}
