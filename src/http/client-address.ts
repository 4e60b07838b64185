import { isIP, isIPv6 } from 'node:net';

/** What counts as one address when a proxy hands on text that is none: all of it together. */
const NO_ADDRESS = 'unknown';

/**
 * What counts as one address when tries are counted: an IPv4 address as it is, an IPv6 address as its /64, because
 * one household or server has the whole of that to itself. A port, which some proxies add, does not count.
 */
export function addressKey(address: string): string {
  const bare = plainAddress(address);
  // Text that a client made up would be a counter of its own with each try, and need not fit the column.
  if (bare === null) return NO_ADDRESS;
  return isIPv6(bare) ? `${firstFourGroups(bare).join(':')}::/64` : bare;
}

/** The IP address alone, without a port or a zone; null for text that is none. */
export function plainAddress(address: string): string | null {
  const bare = withoutPort(address)
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .replace(/%.*$/, '');
  return isIP(bare) === 0 ? null : bare;
}

function withoutPort(address: string): string {
  return address.replace(/^\[([^\]]*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}

function firstFourGroups(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // An embedded IPv4 address stands for two groups.
  const width = after.at(-1)?.includes('.') ? after.length + 1 : after.length;
  const filled =
    tail === undefined
      ? groups
      : [...groups, ...Array<string>(8 - groups.length - width).fill('0'), ...after];
  return filled.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
}
