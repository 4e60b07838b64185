import { z } from 'zod';
import type { ExternalIdentity } from '../accounts/external-identity.js';
import type { User } from '../accounts/user.js';
import { toUserFields } from '../accounts/user-document.js';
import type { ApplicationSettings } from '../applications/application-settings.js';
import type { RefreshedSession } from '../session/refresh/refresh.service.js';
import type { IceServer } from '../chat/turn-credentials.js';
import { expiresAt, type Session } from '../session/session.js';
import type { BegunSession } from '../session/session.service.js';

const instant = z.iso.datetime();

export const sessionSchema = z.strictObject({
  id: z.int(),
  token: z.string().optional().describe('The access token; shown only when just issued'),
  kind: z.enum(['application', 'user']),
  application_id: z.int(),
  user_id: z.int().nullable(),
  provider: z.string().nullable(),
  created_at: instant,
  expires_at: instant
    .nullable()
    .describe('When it ends if it is not used again; null: it does not end by itself'),
  refresh_token: z.string().optional().describe('Shown only when just issued'),
});

export const userSchema = z.strictObject({
  id: z.int(),
  application_id: z.int(),
  login: z.string().nullable(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  phone: z.string().nullable(),
  phone_verified: z.boolean(),
  full_name: z.string().nullable(),
  website: z.string().nullable(),
  external_id: z.string().nullable(),
  custom_data: z.string().nullable(),
  tags: z.array(z.string()),
  attributes: z.record(z.string(), z.unknown()).describe('JSON values by name'),
  locale: z.string().nullable(),
  timezone: z.string().nullable(),
  country: z.string().nullable(),
  guest: z.boolean(),
  last_request_at: instant.nullable(),
  created_at: instant,
  updated_at: instant,
});

export const sessionAnswer = z.strictObject({
  session: sessionSchema,
  user: userSchema.optional(),
  replaced_guest: z
    .strictObject({ user_id: z.int() })
    .optional()
    .describe('The guest who was signed in before, and is another user than the one who is now'),
});
export const identitySchema = z.strictObject({
  id: z.int(),
  provider: z.string().describe('The slug of the identity provider'),
  subject: z.string().describe("The provider's own key for this person"),
  email: z.string().nullable().describe('As the provider says'),
  email_verified: z.boolean(),
  name: z.string().nullable(),
  picture: z.string().nullable(),
  disabled: z.boolean(),
  created_at: instant,
  last_used_at: instant,
});
export const identityAnswer = z.strictObject({ identity: identitySchema });
export const identitiesAnswer = z.strictObject({ items: z.array(identitySchema) });
export const startRedirectAnswer = z.strictObject({
  authorization_url: z.url().describe('To open in a browser'),
});
export const nonceAnswer = z.strictObject({
  nonce: z.string().describe('For the ID token that the app asks the provider for'),
  expires_at: instant,
});
export const userAnswer = z.strictObject({ user: userSchema });
export const sessionsAnswer = z.strictObject({
  items: z.array(sessionSchema.extend({ current: z.boolean() })),
  next_cursor: z.string().nullable(),
});

type SessionBody = z.infer<typeof sessionSchema>;

/** What a client may see of a session. `usedAt`: when this answer's request used it. */
export function toSessionBody(session: Session, settings: ApplicationSettings, usedAt: number): SessionBody {
  const end = expiresAt(session, settings, usedAt);
  return {
    id: session.id,
    kind: session.kind,
    application_id: session.applicationId,
    user_id: session.userId,
    provider: session.provider,
    created_at: new Date(session.createdAt).toISOString(),
    expires_at: end === null ? null : new Date(end).toISOString(),
  };
}

/** The answer to whatever issued a token. */
export function toBegunBody(
  begun: BegunSession,
  settings: ApplicationSettings,
): z.infer<typeof sessionAnswer> {
  const { id, ...facts } = toSessionBody(begun.session, settings, begun.session.lastUsedAt);
  return {
    session: {
      id,
      ...(begun.token !== null && { token: begun.token }),
      ...facts,
      ...(begun.refreshToken !== null && { refresh_token: begun.refreshToken }),
    },
    ...(begun.user && { user: toUserBody(begun.user) }),
    ...(begun.replacedGuestId !== null && { replaced_guest: { user_id: begun.replacedGuestId } }),
  };
}

/** The answer to a refresh. */
export function toRefreshedBody(refreshed: RefreshedSession): z.infer<typeof sessionAnswer> {
  const { application, session, accessToken, refreshToken } = refreshed;
  const { id, ...facts } = toSessionBody(session, application.settings, session.lastUsedAt);
  return { session: { id, token: accessToken, ...facts, refresh_token: refreshToken } };
}

/** What a user may see of their ways in. */
export function toIdentityBody(identity: ExternalIdentity): z.infer<typeof identitySchema> {
  return {
    id: identity.id,
    provider: identity.provider,
    subject: identity.subject,
    email: identity.email,
    email_verified: identity.emailVerified,
    name: identity.profile.name ?? null,
    picture: identity.profile.picture ?? null,
    disabled: identity.disabled,
    created_at: new Date(identity.createdAt).toISOString(),
    last_used_at: new Date(identity.lastUsedAt).toISOString(),
  };
}

/** What a user may see of themselves. */
export function toUserBody(user: User): z.infer<typeof userSchema> {
  return {
    id: user.id,
    application_id: user.applicationId,
    ...toUserFields(user),
    guest: user.guest,
    last_request_at: user.lastRequestAt === null ? null : new Date(user.lastRequestAt).toISOString(),
    created_at: new Date(user.createdAt).toISOString(),
    updated_at: new Date(user.updatedAt).toISOString(),
  };
}

export const iceServersAnswer = z.strictObject({
  ice_servers: z
    .array(
      z.strictObject({ urls: z.array(z.string()).readonly(), username: z.string(), credential: z.string() }),
    )
    .describe('For RTCPeerConnection'),
  expires_at: instant,
});

export function toIceServersBody(server: IceServer): z.infer<typeof iceServersAnswer> {
  const { urls, username, credential, expiresAt } = server;
  return {
    ice_servers: [{ urls, username, credential }],
    expires_at: new Date(expiresAt).toISOString(),
  };
}
