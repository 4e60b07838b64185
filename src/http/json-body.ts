import { BrokerError } from '../errors/broker-error.js';

/** Deeper bodies have no meaning on any route, and would exhaust the stack of whoever walks them. */
const MAX_DEPTH = 32;

/**
 * Parses a request body. An empty one is no body.
 *
 * Two members of one name are refused (RFC 8259 §4 leaves their meaning open): a proxy that reads the first and a
 * server that reads the last would see two different requests. `__proto__` as a name is refused for the same reason.
 *
 * @throws BrokerError `malformed_request`
 */
export function parseJsonBody(text: string): unknown {
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the body; it goes nowhere.
    throw new BrokerError('malformed_request', { cause: new Error('body is no JSON') });
  }
  if (countMembers(value, 0) !== countColons(text)) {
    throw new BrokerError('malformed_request', { cause: new Error('body repeats a member name') });
  }
  return value;
}

/** Members in the text: in JSON, each has exactly one colon outside of strings. */
function countColons(text: string): number {
  let colons = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 92 /* \ */) i += 1;
      else if (char === 34 /* " */) inString = false;
    } else if (char === 34) inString = true;
    else if (char === 58 /* : */) colons += 1;
  }
  return colons;
}

/** Members that survived parsing. */
function countMembers(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= MAX_DEPTH) {
    throw new BrokerError('malformed_request', { cause: new Error('body is nested too deeply') });
  }
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item, depth + 1);
    return members;
  }
  for (const [name, item] of Object.entries(value)) {
    if (name === '__proto__')
      throw new BrokerError('malformed_request', { cause: new Error('body has __proto__') });
    members += 1 + countMembers(item, depth + 1);
  }
  return members;
}
