import type { ProfileClaims, VerifiedIdentity } from '../identity/verified-identity.js';
import type { ProfileInput } from './user.js';

const MAX_NAME = 255;

/** What an identity says of its person's profile: the fields that the operator maps, over what the claims say. */
export function profileOf({ profile, user }: Pick<VerifiedIdentity, 'profile' | 'user'>): ProfileInput {
  const { login: _, ...fields } = user ?? {};
  return { ...profileFromClaims(profile), ...fields };
}

/** What of a provider's claims the user's own profile can hold. What does not fit is left out: it is not the user's fault. */
function profileFromClaims({ name, locale }: ProfileClaims): ProfileInput {
  return {
    ...(name !== undefined && isLine(name) && { fullName: name }),
    ...(locale !== undefined && toLocale(locale)),
  };
}

function isLine(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what this looks for
  const hasControls = /[\u0000-\u001f\u007f]/.test(text);
  return text.trim() !== '' && text.length <= MAX_NAME && text.isWellFormed() && !hasControls;
}

/** Facebook writes `en_US`. */
function toLocale(text: string): ProfileInput {
  try {
    const [locale] = Intl.getCanonicalLocales(text.replace('_', '-'));
    return locale !== undefined && locale.length <= 35 ? { locale } : {};
  } catch {
    return {};
  }
}
