import type { ApplicationSettings } from '../applications/application-settings.js';
import type { SessionKind } from '../events/session-words.js';

/** The facts of a session. Instants in milliseconds since the epoch. */
export interface Session {
  readonly id: number;
  readonly applicationId: number;
  readonly kind: SessionKind;
  readonly userId: number | null;
  /** By which way in: `password`, `guest`, a provider's slug; null while nobody is signed in. */
  readonly provider: string | null;
  /** RFC 8176 values. */
  readonly amr: readonly string[];
  /** When the user last proved who they are. */
  readonly authTime: number | null;
  readonly tokenHash: string;
  readonly createdAt: number;
  /** When the present limits began to run: at issue, and anew with each sign-in. */
  readonly startedAt: number;
  /** Moves in steps of `touchStep`; the one fact that changes while the token stays the same. */
  lastUsedAt: number;
  /** Null: does not end by idling. */
  readonly idleSeconds: number | null;
  /** Null: does not end by age. */
  readonly absoluteExpiresAt: number | null;
}

export const GUEST_PROVIDER = 'guest';

const DAY_SECONDS = 24 * 60 * 60;
const LONGEST_TOUCH_STEP = 60_000;

/**
 * How far apart two recorded uses of a session are: the smaller of one minute and 1 % of its idle limit. A use within
 * the step of the last one is not recorded, so everything that judges idling grants one step more.
 *
 * @returns milliseconds
 */
export function touchStep(idleSeconds: number): number {
  return Math.min(LONGEST_TOUCH_STEP, idleSeconds * 10);
}

export interface IssuedLimits {
  readonly idleSeconds: number | null;
  readonly absoluteExpiresAt: number | null;
}

/**
 * The limits a session gets when it begins. Guests have limits of their own, because a guest cannot sign in again:
 * they idle for `guest_idle_days` and have no absolute end.
 */
export function limitsAtIssue(
  settings: ApplicationSettings,
  provider: string | null,
  now: number,
): IssuedLimits {
  if (provider === GUEST_PROVIDER) {
    return { idleSeconds: settings.guest_idle_days * DAY_SECONDS, absoluteExpiresAt: null };
  }
  return {
    idleSeconds: settings.session_idle_seconds,
    absoluteExpiresAt: now + settings.session_absolute_seconds * 1000,
  };
}

/** The idle limit in force: the one fixed at issue, or the application's where that has become smaller. */
export function idleLimit(session: Session, settings: ApplicationSettings): number | null {
  if (session.idleSeconds === null) return null;
  const allowed =
    session.provider === GUEST_PROVIDER
      ? settings.guest_idle_days * DAY_SECONDS
      : settings.session_idle_seconds;
  return session.idleSeconds < allowed ? session.idleSeconds : allowed;
}

/** The absolute end in force; an application that shortens its limit shortens running sessions at once. */
export function absoluteEnd(session: Session, settings: ApplicationSettings): number | null {
  if (session.absoluteExpiresAt === null || session.provider === GUEST_PROVIDER)
    return session.absoluteExpiresAt;
  const allowed = session.startedAt + settings.session_absolute_seconds * 1000;
  return session.absoluteExpiresAt < allowed ? session.absoluteExpiresAt : allowed;
}

/** Why a session that nobody ended is over all the same, or null while it lives. */
export function sessionEnd(
  session: Session,
  settings: ApplicationSettings,
  now: number,
): 'idle' | 'absolute' | null {
  const end = absoluteEnd(session, settings);
  if (end !== null && now >= end) return 'absolute';
  const idle = idleLimit(session, settings);
  if (idle !== null && now >= session.lastUsedAt + idle * 1000 + touchStep(idle)) return 'idle';
  return null;
}

/**
 * Until when a session that is used at `now` lives if it is not used again. It is never over before; it may be over
 * one touch step later.
 */
export function expiresAt(session: Session, settings: ApplicationSettings, usedAt: number): number | null {
  const idle = idleLimit(session, settings);
  const idleEnd = idle === null ? null : usedAt + idle * 1000;
  const end = absoluteEnd(session, settings);
  if (idleEnd === null || end === null) return idleEnd ?? end;
  return Math.min(idleEnd, end);
}
