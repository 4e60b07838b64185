import { UsageError } from './output.js';

/** What the database can number: a larger one is nobody's, and PostgreSQL would not even compare it. */
const MAX_ID = 2 ** 31 - 1;

/** Options that take an id, and whose. */
const NAMES = {
  app: 'application_id',
  user: 'user_id',
  key: 'admin_key_id',
  message: 'message_id',
  client: 'chat_client_id',
  from: 'number of a version',
  to: 'number of a version',
} as const;

/** An id as typed. @throws UsageError for anything that cannot be one. */
export function toId(option: keyof typeof NAMES, typed: string): number {
  const isId = /^[1-9]\d{0,9}$/.test(typed) && Number(typed) <= MAX_ID;
  if (!isId) throw new UsageError(`--${option} takes the ${NAMES[option]}, a whole number.`);
  return Number(typed);
}
