import type { User } from './user.js';

/** Who a user is and what they say of themselves, as documents for people and programs spell it. No secret is among it. */
export function toUserFields(user: User) {
  const { profile } = user;
  return {
    login: user.login,
    email: user.email,
    email_verified: user.emailVerified,
    phone: user.phone,
    phone_verified: user.phoneVerified,
    full_name: profile.fullName,
    website: profile.website,
    external_id: profile.externalId,
    custom_data: profile.customData,
    tags: [...profile.tags],
    attributes: { ...profile.attributes },
    locale: profile.locale,
    timezone: profile.timezone,
    country: profile.country,
  };
}
