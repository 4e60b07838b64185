/**
 * What goes into HTTP Basic for a client of an authorization server. RFC 6749 §2.3.1 has both parts form-encoded first,
 * by the rules of forms: those leave hyphens and dots alone, which servers that forget to decode depend on.
 */
export function basicCredentials(clientId: string, clientSecret: string): string {
  const encoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  return Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString('base64');
}
