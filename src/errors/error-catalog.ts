/** How one error code looks from outside and how loudly it is logged. */
export interface ErrorEntry {
  /** HTTP status of the native face; compatibility faces word it their own way. */
  readonly status: number;
  /** The whole public text. Causes stay in the log. */
  readonly title: string;
  readonly log: 'debug' | 'info' | 'warn' | 'error';
  /** RFC 6749 §5.2 / RFC 6750 §3.1 spelling, for OAuth endpoints and `WWW-Authenticate`. */
  readonly oauth: string;
  /** What the caller can do about it, where there is something to say. */
  readonly next?: string;
}

/**
 * Every error a client can see. Codes are stable: clients branch on them, and the README lists each one
 * (a test compares the two).
 */
export const errorCatalog = {
  malformed_request: {
    status: 400,
    title: 'The request cannot be read.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Send a well-formed URL and, where a body is expected, one JSON object.',
  },
  authentication_required: {
    status: 401,
    title: 'This route needs credentials.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Send "Authorization: Bearer <session token>" (under /admin an admin key), or HTTP Basic with auth_key and auth_secret where the route takes it.',
  },
  invalid_admin_key: {
    status: 401,
    title: 'The admin key was not accepted.',
    log: 'info',
    oauth: 'invalid_token',
    next: 'Make one on the server with "admin-keys create".',
  },
  invalid_client: {
    status: 401,
    title: 'The application credentials were not accepted.',
    log: 'info',
    oauth: 'invalid_client',
    next: 'Check auth_key and auth_secret; a body with application_id and auth_key alone needs the setting public_clients.',
  },
  invalid_credentials: {
    status: 401,
    title: 'The credentials were not accepted.',
    log: 'info',
    oauth: 'invalid_grant',
  },
  session_ended: {
    status: 401,
    title: 'The session has ended.',
    log: 'info',
    oauth: 'invalid_token',
    next: 'Begin a new session.',
  },
  forbidden: {
    status: 403,
    title: 'This session or key may not do that.',
    log: 'info',
    oauth: 'insufficient_scope',
  },
  user_session_required: {
    status: 403,
    title: 'This needs a session with a signed-in user.',
    log: 'info',
    oauth: 'insufficient_scope',
    next: 'Sign in with PUT /v1/session/user.',
  },
  sign_up_disabled: {
    status: 403,
    title: 'This application does not let clients sign users up.',
    log: 'info',
    oauth: 'access_denied',
  },
  guests_disabled: {
    status: 403,
    title: 'This application takes no guests.',
    log: 'info',
    oauth: 'access_denied',
  },
  provider_link_only: {
    status: 403,
    title: 'This identity provider is for linking, not for signing in.',
    log: 'info',
    oauth: 'access_denied',
    next: 'Sign in otherwise, then link the identity with POST /v1/users/me/identities.',
  },
  origin_not_allowed: {
    status: 403,
    title: 'This application does not answer pages of this origin.',
    log: 'info',
    oauth: 'access_denied',
    next: "Add the origin to the application's allowed_origins.",
  },
  fresh_sign_in_required: {
    status: 403,
    title: 'This needs a sign-in within the last ten minutes.',
    log: 'info',
    oauth: 'access_denied',
    next: 'Sign in again with PUT /v1/session/user, then repeat the request.',
  },
  route_not_found: {
    status: 404,
    title: 'There is nothing at this path for this method.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'The routes are listed at /docs.',
  },
  unknown_identity_provider: {
    status: 404,
    title: 'There is no such identity provider.',
    log: 'info',
    oauth: 'invalid_request',
  },
  identity_provider_not_found: {
    status: 404,
    title: 'This application has no such identity provider.',
    log: 'info',
    oauth: 'invalid_request',
  },
  identity_provider_version_not_found: {
    status: 404,
    title: 'This identity provider has no such version.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'The versions that are kept are listed at GET …/providers/{slug}/versions.',
  },
  identity_not_found: {
    status: 404,
    title: 'You have no such identity.',
    log: 'info',
    oauth: 'invalid_request',
  },
  application_not_found: {
    status: 404,
    title: 'There is no such application.',
    log: 'info',
    oauth: 'invalid_request',
  },
  chat_client_not_found: {
    status: 404,
    title: 'There is no such chat client.',
    log: 'info',
    oauth: 'invalid_request',
  },
  user_not_found: {
    status: 404,
    title: 'This application has no such user.',
    log: 'info',
    oauth: 'invalid_request',
  },
  outbox_message_not_found: {
    status: 404,
    title: 'There is no such message.',
    log: 'info',
    oauth: 'invalid_request',
  },
  session_not_found: {
    status: 404,
    title: 'You have no such session.',
    log: 'info',
    oauth: 'invalid_request',
  },
  request_timeout: {
    status: 408,
    title: 'The request did not arrive in time.',
    log: 'info',
    oauth: 'invalid_request',
  },
  identifier_taken: {
    status: 409,
    title: 'Another user of this application has this identifier.',
    log: 'info',
    oauth: 'invalid_request',
  },
  identity_already_linked: {
    status: 409,
    title: 'This identity belongs to a user already.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Sign in with it, or unlink it there first.',
  },
  last_way_in: {
    status: 409,
    title: 'Without this identity nobody could sign in as this user any more.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Set a password or link another identity first.',
  },
  identity_reassigned: {
    status: 403,
    title: 'The provider has given this identity to somebody else.',
    log: 'warn',
    oauth: 'access_denied',
    next: 'An operator has to look: what was linked to it belongs to the person before.',
  },
  email_domain_not_allowed: {
    status: 403,
    title: 'The provider names no verified e-mail address of an allowed domain.',
    log: 'info',
    oauth: 'access_denied',
  },
  login_in_use: {
    status: 409,
    title: "The identity's login is another user's.",
    log: 'info',
    oauth: 'invalid_request',
    next: 'Sign in as that user, then link the identity.',
  },
  email_in_use: {
    status: 409,
    title: 'Another user of this application has this e-mail address.',
    log: 'info',
    oauth: 'access_denied',
    next: 'Sign in as that user, then link the identity with POST /v1/users/me/identities.',
  },
  guest_conflict: {
    status: 409,
    title: 'This identity belongs to another user than the guest who is signed in.',
    log: 'info',
    oauth: 'access_denied',
    next: 'Begin a session of its own with this identity, or let the guest go first.',
  },
  slug_taken: {
    status: 409,
    title: 'This application has an identity provider with this slug.',
    log: 'info',
    oauth: 'invalid_request',
  },
  request_too_large: {
    status: 413,
    title: 'The request body is larger than this server takes.',
    log: 'info',
    oauth: 'invalid_request',
  },
  uri_too_long: {
    status: 414,
    title: 'A part of the path is longer than any value it could hold.',
    log: 'info',
    oauth: 'invalid_request',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body is not of a type this route takes.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Send "Content-Type: application/json".',
  },
  validation_failed: {
    status: 422,
    title: 'Some of the input is at fault.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Each entry of "errors" names a place in the body or query and what is wrong there.',
  },
  password_refused: {
    status: 422,
    title: 'This password cannot be used.',
    log: 'info',
    oauth: 'invalid_request',
    next: 'Choose another one; "errors" says why.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many tries.',
    log: 'warn',
    oauth: 'slow_down',
    next: 'Wait for the seconds in Retry-After.',
  },
  headers_too_large: {
    status: 431,
    title: 'The request headers are larger than this server takes.',
    log: 'info',
    oauth: 'invalid_request',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side.',
    log: 'error',
    oauth: 'server_error',
  },
  busy: {
    status: 503,
    title: 'The server has more sign-ins to work through than it can take on.',
    log: 'warn',
    oauth: 'temporarily_unavailable',
    next: 'Wait for the seconds in Retry-After.',
  },
  identity_provider_unavailable: {
    status: 503,
    title: 'The identity provider did not answer.',
    log: 'warn',
    oauth: 'temporarily_unavailable',
    next: 'Wait for the seconds in Retry-After; other ways to sign in are not affected.',
  },
  identity_provider_misconfigured: {
    status: 503,
    title: 'The identity provider is not set up rightly here.',
    log: 'error',
    oauth: 'temporarily_unavailable',
    next: 'The operator finds the reason in the log.',
  },
  store_unavailable: {
    status: 503,
    title: 'The database cannot be reached.',
    log: 'error',
    oauth: 'temporarily_unavailable',
    next: 'Wait for the seconds in Retry-After; the server recovers by itself.',
  },
  metrics_unavailable: {
    status: 503,
    title: 'Not every server process has told its part of the metrics.',
    log: 'warn',
    oauth: 'temporarily_unavailable',
    next: 'Repeat the request; there is no answer for a part of the processes.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalog;
