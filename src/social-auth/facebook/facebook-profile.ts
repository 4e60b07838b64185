import { z } from 'zod';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';

const text = z.string().trim().min(1).max(255);
const address = z
  .string()
  .max(254)
  .regex(/^[^\s@]+@[^\s@]+$/);
const httpsUrl = z.string().max(2048).refine(isHttps);

/** What is only for display: what cannot be used is left out, and signs nobody out. */
const displaySchema = z.object({
  name: text.optional().catch(undefined),
  email: address.optional().catch(undefined),
  emailVerified: z.unknown(),
  picture: httpsUrl.optional().catch(undefined),
});

const pictureSchema = z.object({ data: z.object({ url: z.string(), is_silhouette: z.unknown() }) });

/** Facebook's words for a person, from whichever of its answers. Nothing of it is looked at before it gets here. */
export interface FacebookPerson {
  readonly name?: unknown;
  readonly email?: unknown;
  /** Graph never says; what it does not say is no. */
  readonly emailVerified?: unknown;
  readonly picture?: unknown;
}

export function toClaims(person: FacebookPerson): Pick<VerifiedIdentity, 'email' | 'profile'> {
  const { name, email, emailVerified, picture } = displaySchema.parse({ emailVerified: false, ...person });
  return {
    ...(email !== undefined && { email: { address: email, verified: emailVerified === true } }),
    profile: { ...(name !== undefined && { name }), ...(picture !== undefined && { picture }) },
  };
}

/** `{ data: { url } }`, as Graph nests it; the grey silhouette of those who have no picture is none. */
export function pictureUrl(picture: unknown): unknown {
  const nested = pictureSchema.safeParse(picture);
  return nested.success && nested.data.data.is_silhouette !== true ? nested.data.data.url : undefined;
}

function isHttps(value: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === 'https:';
}
