import { isIPv6 } from 'node:net';

/**
 * What counts as one address when tries are counted: an IPv4 address as it is, an IPv6 address as its /64, because
 * one household or server has the whole of that to itself.
 */
export function addressKey(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return isIPv6(bare) ? `${firstFourGroups(bare).join(':')}::/64` : bare;
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
