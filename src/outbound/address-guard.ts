import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { NameResolver, type Family } from './name-resolver.js';
import { RefusedAddressError } from './outbound-errors.js';
import { REFUSED_PORTS } from './refused-ports.js';

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
  constructor(
    allow: readonly string[],
    private readonly resolver: NameResolver = new NameResolver(),
  ) {
    for (const [net, prefix] of V4) this.refused.addSubnet(net, prefix, 'ipv4');
    for (const [net, prefix] of V6) this.refused.addSubnet(net, prefix, 'ipv6');
    const names: string[] = [];
    for (const entry of allow) {
      const [address = '', prefix] = entry.split('/');
      const family = isIP(address);
      if (family === 0) names.push(plainName(entry));
      else if (prefix === undefined) this.allowed.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
      else this.allowed.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    }
    this.allowedNames = new Set(names);
  }

  /** What can be said before a name is resolved. @throws RefusedAddressError */
  checkUrl(url: URL): void {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new RefusedAddressError('not http');
    if (url.username !== '' || url.password !== '') throw new RefusedAddressError('user information');
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    this.checkTarget(url.hostname.replace(/^\[|\]$/g, ''), port);
  }

  /** As `checkUrl`, for what is dialled by host and port. Literal addresses never reach a lookup. */
  checkTarget(host: string, port: number): void {
    if (REFUSED_PORTS.has(port) && !this.isListed(host)) throw new RefusedAddressError('refused port');
    const isRefused = isIP(host) === 0 ? this.isOwnMachine(host) : !this.mayDial(host);
    if (isRefused) throw new RefusedAddressError('not a public address');
  }

  mayDial(address: string): boolean {
    if (this.isListedAddress(address)) return true;
    const plain = unmapped(address);
    const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
    if (this.refused.check(plain, family)) return false;
    return family === 'ipv4' || /^[23]/.test(expandedStart(plain));
  }

  /**
   * Resolves a name for a connection that is about to be made: the addresses checked are the ones dialled, so that a
   * name cannot resolve to another one in between (DNS rebinding). One refused address refuses the name.
   */
  readonly lookup: LookupFunction = (hostname, { family, all }, callback) => {
    this.resolve(hostname, familyOf(family)).then(
      (found) => {
        if (all) callback(null, [...found]);
        else callback(null, found[0]!.address, found[0]!.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };

  /** The addresses of a name, if all of them may be dialled. @throws RefusedAddressError, or what the resolver throws. */
  async resolve(name: string, family: Family = 0): Promise<readonly LookupAddress[]> {
    const found = await this.resolver.resolve(name, family);
    const isRefused = () => found.some(({ address }) => !this.mayDial(address));
    if (found.length === 0 || (!this.allowedNames.has(plainName(name)) && isRefused())) {
      throw new RefusedAddressError('not a public address');
    }
    return found;
  }

  /** Whether the operator lists this host as it is written. */
  private isListed(host: string): boolean {
    return isIP(host) === 0 ? this.allowedNames.has(plainName(host)) : this.isListedAddress(host);
  }

  private isListedAddress(address: string): boolean {
    const plain = unmapped(address);
    return this.allowed.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6');
  }

  /** RFC 6761 §6.3: these are the loopback, whether or not a resolver knows them. */
  private isOwnMachine(name: string): boolean {
    const plain = plainName(name);
    if (plain !== 'localhost' && !plain.endsWith('.localhost')) return false;
    return !this.allowedNames.has(plain) && !this.mayDial('127.0.0.1') && !this.mayDial('::1');
  }
}

function familyOf(family: string | number | undefined): Family {
  if (family === 4 || family === 'IPv4') return 4;
  return family === 6 || family === 'IPv6' ? 6 : 0;
}

/** The dot at the end says that a name is whole; it is the same name. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
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
