/** What operators may call a provider. */
export const SLUG = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/;
export const MAX_SLUG = 64;

/** Whether a client's text can be a slug at all; other text is nobody's, and PostgreSQL takes no NUL. */
export function canBeSlug(text: string): boolean {
  return text.length <= MAX_SLUG && SLUG.test(text);
}
