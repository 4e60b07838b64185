import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** An address or a name that nothing may be sent to. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
  readonly code = 'ERR_OUTBOUND_REFUSED';
}

/** What is not the public Internet (IANA special-purpose registries), cloud metadata addresses among it. */
const V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Everything outside 2000::/3 is refused besides; these are the exceptions inside it. */
const V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Decides which addresses may be dialled: public ones, and those that the operator lists. */
export class AddressGuard {
  private readonly refused = new BlockList();
  private readonly allowed = new BlockList();
  private readonly allowedNames: ReadonlySet<string>;

  /** @param allow IP addresses, CIDR ranges and host names of the operator's own network. */
  constructor(allow: readonly string[]) {
    for (const [net, prefix] of V4) this.refused.addSubnet(net, prefix, 'ipv4');
    for (const [net, prefix] of V6) this.refused.addSubnet(net, prefix, 'ipv6');
    const names: string[] = [];
    for (const entry of allow) {
      const [address = '', prefix] = entry.split('/');
      const family = isIP(address);
      if (family === 0) names.push(entry.toLowerCase());
      else if (prefix === undefined) this.allowed.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
      else this.allowed.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    }
    this.allowedNames = new Set(names);
  }

  /** What can be said before a name is resolved. @throws RefusedAddressError */
  checkUrl(url: URL): void {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new RefusedAddressError('not http');
    if (url.username !== '' || url.password !== '') throw new RefusedAddressError('user information');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // A literal address is dialled without being looked up.
    if (isIP(host) !== 0 && !this.mayDial(host)) throw new RefusedAddressError('not a public address');
  }

  mayDial(address: string): boolean {
    const plain = unmapped(address);
    const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
    if (this.allowed.check(plain, family)) return true;
    if (this.refused.check(plain, family)) return false;
    return family === 'ipv4' || /^[23]/.test(expandedStart(plain));
  }

  /**
   * Resolves a name for a connection that is about to be made: the addresses checked are the ones dialled, so that a
   * name cannot resolve to another one in between (DNS rebinding). One refused address refuses the name.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, []);
      const isAllowedName = this.allowedNames.has(hostname.toLowerCase());
      if (found.length === 0 || (!isAllowedName && found.some(({ address }) => !this.mayDial(address)))) {
        return callback(new RefusedAddressError('not a public address'), []);
      }
      if (options.all) return callback(null, found);
      callback(null, found[0]!.address, found[0]!.family);
    });
  };
}

/** IPv4 in IPv6's clothes (::ffff:10.0.0.1) is judged as what is dialled. */
function unmapped(address: string): string {
  if (isIP(address) !== 6) return address;
  const normal = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(normal);
  if (!mapped) return normal;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The first group with its leading zeros, so that 2000::/3 shows in its first digit. */
function expandedStart(address: string): string {
  return address.split(':')[0]!.padStart(4, '0');
}
