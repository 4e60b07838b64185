/** What an XMPP server wants to know of a user. */
export type Question =
  | { readonly kind: 'auth'; readonly user: string; readonly domain: string; readonly password: string }
  | { readonly kind: 'isuser'; readonly user: string; readonly domain: string };

/** No token and no password is anywhere near as long; frames go up to 64 kB. */
const MAX_FRAME_BYTES = 8192;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * `auth:user:host:password` or `isuser:user:host`. Neither a user nor a host can have a colon (RFC 7622 §3.3), a password can.
 *
 * @returns null for what is not for us: `setpass`, `tryregister` and the like, frames that are too long, broken or no UTF-8.
 */
export function toQuestion(frame: Buffer): Question | null {
  const text = textOf(frame);
  if (text === null) return null;
  const [operation, user, domain, ...rest] = text.split(':');
  if (!user || !domain) return null;
  if (operation === 'isuser' && rest.length === 0) return { kind: 'isuser', user, domain };
  if (operation !== 'auth' || rest.length === 0) return null;
  const password = rest.join(':');
  return password === '' ? null : { kind: 'auth', user, domain, password };
}

function textOf(frame: Buffer): string | null {
  if (frame.length > MAX_FRAME_BYTES) return null;
  try {
    return utf8.decode(frame);
  } catch {
    return null;
  }
}
