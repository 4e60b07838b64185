/**
 * The user and the secret of an `Authorization: Basic` header (RFC 7617), which belong to somebody who logs in and not to
 * the chat server that passes them on.
 *
 * @returns null without such a header, or when it cannot be read.
 */
export function readBasic(
  header: string | undefined,
): { readonly user: string; readonly secret: string } | null {
  if (header === undefined || header.slice(0, 6).toLowerCase() !== 'basic ') return null;
  const decoded = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 1 ? null : { user: decoded.slice(0, colon), secret: decoded.slice(colon + 1) };
}
