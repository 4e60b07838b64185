import { chatUserName } from './user-name.js';

/** Filters as in MQTT (5.0 §4.7): levels between slashes, `+` for one level, `#` for all that follow. */
export interface TopicRules {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** Reading is subscribing and being sent, writing is publishing. */
export type TopicAct = 'read' | 'write';

interface Person {
  readonly userId: number;
  readonly applicationId: number;
}

/** As many as a packet of MQTT can hold; a topic of more levels than this is nobody's. */
const MAX_TOPIC = 65_535;
const MAX_LEVELS = 128;

/**
 * Puts a person into a pattern of the configuration: `{user_id}`, `{app_id}` and `{username}`. Ids are digits, so that
 * nothing of it can be taken for a wildcard.
 */
export function patternFor(pattern: string, { userId, applicationId }: Person): string {
  return pattern
    .replaceAll('{user_id}', String(userId))
    .replaceAll('{app_id}', String(applicationId))
    .replaceAll('{username}', chatUserName({ userId, applicationId }));
}

/**
 * Whether somebody may read or write a topic, or all topics that a filter stands for.
 *
 * @param isShared the chat server has users of several applications. Filters that name neither the application nor
 *   somebody of it are taken below `{app_id}/` there, or one application's users would read another one's messages.
 */
export function mayUseTopic(
  rules: TopicRules,
  person: Person,
  act: TopicAct,
  topic: string,
  isShared: boolean,
): boolean {
  if (topic === '' || topic.length > MAX_TOPIC || topic.includes('\0')) return false;
  // Publishing to a filter is an error of the protocol (MQTT 5.0 §3.3.2.1).
  if (act === 'write' && /[+#]/.test(topic)) return false;
  const asked = levelsOf(act === 'read' ? withoutShare(topic) : topic);
  if (asked === null) return false;
  return rules[act].some((rule) => covers(patternFor(ownPart(rule, isShared), person).split('/'), asked));
}

/**
 * A topic for a routing or binding key of AMQP, where dots are between words and `*` stands for one of them. The MQTT
 * plugin of RabbitMQ does it the other way round.
 */
export function topicOfRoutingKey(key: string): string {
  return key
    .split('.')
    .map((word) => (word === '*' ? '+' : word))
    .join('/');
}

/** Whether a name is what a pattern says, in which `*` stands for any text. */
export function nameMatches(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return name === first;
  const last = rest.pop()!;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  const end = name.length - last.length;
  let from = first.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

function ownPart(rule: string, isShared: boolean): string {
  const namesSomebody =
    rule.includes('{app_id}') || rule.includes('{username}') || rule.includes('{user_id}');
  return isShared && !namesSomebody ? `{app_id}/${rule}` : rule;
}

/** MQTT 5.0 §4.8.2: several subscribers share what a filter brings. */
function withoutShare(filter: string): string {
  return /^\$share\/[^/+#]+\/(.+)$/s.exec(filter)?.[1] ?? filter;
}

/** @returns null for a filter with a wildcard where none may be, or too many levels. */
function levelsOf(filter: string): string[] | null {
  const levels = filter.split('/');
  if (levels.length > MAX_LEVELS) return null;
  return levels.every((level) => level.length === 1 || !/[+#]/.test(level)) ? levels : null;
}

/** Whether all topics that `asked` stands for are among those of `allowed`. */
function covers(allowed: readonly string[], asked: readonly string[]): boolean {
  // MQTT 5.0 §4.7.2: a wildcard at the beginning does not stand for the server's own topics.
  if (asked[0]!.startsWith('$') && (allowed[0] === '#' || allowed[0] === '+')) return false;
  for (const [i, level] of allowed.entries()) {
    if (level === '#') return true;
    const wanted = asked[i];
    if (wanted === undefined || wanted === '#') return false;
    if (level !== '+' && level !== wanted) return false;
  }
  return asked.length === allowed.length;
}
