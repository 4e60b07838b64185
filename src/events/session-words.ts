/** `application`: nobody signed in yet. `user`: a user (guests included) is. */
export type SessionKind = 'application' | 'user';

/** Why somebody ended a session. Idling and age end one without anybody writing it down. */
export type SessionEndReason =
  | 'ended'
  | 'ended_by_user'
  | 'password_changed'
  | 'user_ended'
  | 'user_disabled'
  | 'application_ended'
  | 'refresh_replayed';
