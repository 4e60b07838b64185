import { describe, expect, it } from '@jest/globals';
import type { LookupAddress, LookupOptions } from 'node:dns';
import fc from 'fast-check';
import { TestNames } from '../../test/support/test-names.js';
import { AddressGuard } from './address-guard.js';
import { NameResolver } from './name-resolver.js';
import { RefusedAddressError } from './outbound-errors.js';

const strict = new AddressGuard([]);

describe('AddressGuard', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.255.255',
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '::ffff:8.8.8.8',
  ])('lets %s be dialled', (address) => {
    expect(strict.mayDial(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:10::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
  ])('does not let %s be dialled', (address) => {
    expect(strict.mayDial(address)).toBe(false);
  });

  it('lets the addresses and ranges of the operator be dialled, and no neighbours', () => {
    const guard = new AddressGuard(['10.1.2.3', '192.168.7.0/24', 'fd00:7::/32', '::1']);
    const dialled = ['10.1.2.3', '::ffff:10.1.2.3', '192.168.7.255', 'fd00:7::1', '::1', '0:0::1'];
    const refused = ['10.1.2.4', '192.168.8.0', 'fd00:8::1', '::2', '127.0.0.1'];
    expect(dialled.filter((address) => !guard.mayDial(address))).toEqual([]);
    expect(refused.filter((address) => guard.mayDial(address))).toEqual([]);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1',
    'http://127.0.0.1.',
    'http://127.1',
    'http://127.000.000.001',
    'http://0',
    'http://0x7f000001',
    'http://0x7F.1',
    'http://0177.0.0.1',
    'http://2130706433',
    'http://[::1]',
    'http://[::]',
    'http://[::ffff:10.0.0.1]',
    'http://[::ffff:a00:1]',
    'http://[::10.0.0.1]',
    'http://[64:ff9b::10.0.0.1]',
    'http://[64:ff9b:1::10.0.0.1]',
    'http://[2002:0a00:0001::]',
    'http://[fd00::1]',
    'http://[fe80::1]',
    'http://0.0.0.0',
    'http://１２７.0.0.1',
    'http://127。0。0。1',
    'http://%31%32%37.0.0.1',
    'http://localhost',
    'http://LOCALHOST.',
    'http://partner.localhost',
  ])('C-01 refuses %s before anything is resolved', (url) => {
    expect(() => strict.checkUrl(new URL(url))).toThrow('not a public address');
  });

  it.each(['http://[fe80::1%25eth0]', 'http://[::1%25lo]', 'http://[fe80::1%eth0]', 'http://127.0.0.1.0x'])(
    'C-01 has no URL to judge in %s',
    (text) => {
      expect(URL.canParse(text)).toBe(false);
    },
  );

  it.each([
    'https://user:word@example.org',
    'https://user@example.org',
    'https://:word@example.org',
    'file:///etc/passwd',
    'gopher://example.org',
    'ftp://example.org',
    'data:text/plain,x',
    'ws://example.org',
    'blob:https://example.org/1',
    'javascript:1',
  ])('C-04 refuses %s', (url) => {
    expect(() => strict.checkUrl(new URL(url))).toThrow(RefusedAddressError);
  });

  it.each([22, 25, 110, 143, 465, 587, 2375, 5432, 6000, 6379, 6667, 9200, 11211, 27017, 0])(
    'C-04 refuses port %i, by name and by address, under both schemes',
    (port) => {
      for (const host of ['example.org', '8.8.8.8', '[2606:4700:4700::1111]']) {
        for (const scheme of ['http', 'https']) {
          expect(() => strict.checkUrl(new URL(`${scheme}://${host}:${port}/`))).toThrow('refused port');
        }
      }
    },
  );

  it('C-04 dials such a port where the operator lists the host', () => {
    const guard = new AddressGuard(['partner.example', '10.1.0.0/16']);
    for (const url of ['http://partner.example:6379', 'http://PARTNER.example.:22', 'http://10.1.2.3:5432']) {
      expect(() => guard.checkUrl(new URL(url))).not.toThrow();
    }
    expect(() => guard.checkUrl(new URL('http://other.example:6379'))).toThrow('refused port');
    expect(() => guard.checkUrl(new URL('http://8.8.8.8:5432'))).toThrow('refused port');
  });

  it.each([
    'https://example.org/path',
    'http://8.8.8.8:8080',
    'https://example.org:8443',
    'https://[2606:4700:4700::1111]',
  ])('has nothing against %s', (url) => {
    expect(() => strict.checkUrl(new URL(url))).not.toThrow();
  });

  it('dials this machine by its name where the operator lists its address', () => {
    const guard = new AddressGuard(['127.0.0.1']);
    expect(() => guard.checkUrl(new URL('http://localhost:8080'))).not.toThrow();
  });

  const lookedUp = (guard: AddressGuard, name: string, options: LookupOptions = { all: true }) =>
    new Promise<unknown>((resolve) =>
      guard.lookup(name, options, (error, address) => resolve(error ?? address)),
    );
  const named = (name: string, ...answers: string[][]) => new TestNames().set(name, ...answers);

  it.each([
    ['10.0.0.1.nip.io', ['10.0.0.1']],
    ['a9fea9fe.nip.io', ['169.254.169.254']],
    ['internal.example', ['::ffff:192.168.1.1']],
    ['internal.example', ['fd00::1']],
    ['internal.example', ['fe80::1%eth0']],
    ['internal.example', ['64:ff9b::a00:1']],
    ['internal.example', ['2002:a00:1::']],
    ['internal.example', ['0.0.0.0']],
  ])('C-01 refuses %s when it is resolved to %j', async (name, addresses) => {
    for (const all of [true, false]) {
      const guard = new AddressGuard([], named(name, addresses));
      expect(await lookedUp(guard, name, { all })).toBeInstanceOf(RefusedAddressError);
      expect(await lookedUp(guard, `${name}.`, { all })).toBeInstanceOf(RefusedAddressError);
    }
  });

  it.each([
    [['8.8.8.8', '10.0.0.1']],
    [['10.0.0.1', '8.8.8.8']],
    [['2606:4700:4700::1111', '8.8.8.8', '::1']],
  ])('C-02 refuses a name of which one address is refused: %j', async (addresses) => {
    const guard = new AddressGuard([], named('two.example', addresses));
    expect(await lookedUp(guard, 'two.example')).toBeInstanceOf(RefusedAddressError);
    expect(await lookedUp(guard, 'two.example', { all: false })).toBeInstanceOf(RefusedAddressError);
  });

  it('C-02 judges each answer anew', async () => {
    const guard = new AddressGuard([], named('rebound.example', ['8.8.8.8'], ['127.0.0.1']));
    expect(await lookedUp(guard, 'rebound.example', { all: false })).toBe('8.8.8.8');
    expect(await lookedUp(guard, 'rebound.example', { all: false })).toBeInstanceOf(RefusedAddressError);
  });

  it('refuses a name that has no address', async () => {
    class Nowhere extends NameResolver {
      override resolve() {
        return Promise.resolve([]);
      }
    }
    expect(await lookedUp(new AddressGuard([], new Nowhere()), 'x.example')).toBeInstanceOf(
      RefusedAddressError,
    );
  });

  it('resolves a name that the operator lists, wherever it leads, however it is spelled', async () => {
    const guard = new AddressGuard(['Partner.Internal'], named('partner.internal', ['10.0.0.1', 'fd00::1']));
    for (const name of ['PARTNER.internal', 'partner.internal.']) {
      const found = (await lookedUp(guard, name)) as LookupAddress[];
      expect(found.map(({ address }) => address)).toEqual(['10.0.0.1', 'fd00::1']);
    }
    expect(await lookedUp(guard, 'partner.internal', { family: 6 })).toBe('fd00::1');
    expect(await lookedUp(guard, 'partner.internal', { family: 4 })).toBe('10.0.0.1');
  });

  it('resolves a name whose addresses the operator lists', async () => {
    const guard = new AddressGuard(['10.0.0.0/8', 'fd00::/8'], named('a.example', ['10.0.0.1', 'fd00::1']));
    expect(await lookedUp(guard, 'a.example')).toHaveLength(2);
  });

  it('passes on that there is no such name', async () => {
    const error = await lookedUp(new AddressGuard([], new TestNames()), 'no-such-name.invalid');
    expect(error).toMatchObject({ syscall: 'getaddrinfo' });
    expect(error).not.toBeInstanceOf(RefusedAddressError);
  });
});

const MAX_4 = (1n << 32n) - 1n;
const MAX_6 = (1n << 128n) - 1n;

const range4 = (a: number, b: number, c: number, bits: bigint): readonly [bigint, bigint] => {
  const first = (BigInt(a) << 24n) | (BigInt(b) << 16n) | (BigInt(c) << 8n);
  return [first, first + (1n << (32n - bits)) - 1n];
};
/** RFC 6890 and its followers, first and last. */
const PRIVATE_4 = [
  range4(0, 0, 0, 8n),
  range4(10, 0, 0, 8n),
  range4(100, 64, 0, 10n),
  range4(127, 0, 0, 8n),
  range4(169, 254, 0, 16n),
  range4(172, 16, 0, 12n),
  range4(192, 0, 0, 24n),
  range4(192, 0, 2, 24n),
  range4(192, 88, 99, 24n),
  range4(192, 168, 0, 16n),
  range4(198, 18, 0, 15n),
  range4(198, 51, 100, 24n),
  range4(203, 0, 113, 24n),
  range4(224, 0, 0, 3n),
];
const range6 = (start: bigint, bits: bigint): readonly [bigint, bigint] => {
  const first = start << 96n;
  return [first, first + (1n << (128n - bits)) - 1n];
};
/** What is kept back inside 2000::/3. */
const RESERVED_6 = [
  range6(0x2001_0000n, 23n),
  range6(0x2001_0db8n, 32n),
  range6(0x2002_0000n, 16n),
  range6(0x3fff_0000n, 20n),
];

/** Worked out by arithmetic on whole ranges, and from nothing that the guard uses. */
describe('AddressGuard, beside an oracle', () => {
  const isPublic4 = (address: bigint) =>
    !PRIVATE_4.some(([first, last]) => address >= first && address <= last);
  const isPublic6 = (address: bigint): boolean => {
    if (address >> 32n === 0xffffn) return isPublic4(address & 0xffff_ffffn);
    const inGlobal = address >> 125n === 1n;
    return inGlobal && !RESERVED_6.some(([first, last]) => address >= first && address <= last);
  };
  const isDialled = (host: string) => {
    try {
      strict.checkUrl(new URL(`http://${host}/`));
      return true;
    } catch (error) {
      if (!(error instanceof RefusedAddressError)) throw error;
      return false;
    }
  };
  /** Half of them beside the edges of the ranges, where mistakes are. */
  const near = (ranges: readonly (readonly [bigint, bigint])[], max: bigint) => {
    const edges = ranges.flatMap(([first, last]) => [first - 1n, first, last, last + 1n]);
    return fc.oneof(
      fc.bigInt(0n, max),
      fc.constantFrom(...edges.filter((edge) => edge >= 0n && edge <= max)),
    );
  };
  const v4 = near(PRIVATE_4, MAX_4);
  const v6 = fc.oneof(
    near(RESERVED_6, MAX_6),
    fc.bigInt(1n << 125n, (1n << 126n) - 1n),
    v4.map((address) => (0xffffn << 32n) | address),
  );

  it('C-01 dials no private IPv4 address in any spelling that a URL has', () => {
    fc.assert(
      fc.property(
        v4,
        fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
        fc.nat(3),
        (address, bases, cut) => {
          const host = spelled4(address, bases, cut);
          expect([host, isDialled(host)]).toEqual([host, isPublic4(address)]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['mapped', 0xffffn << 32n, 0n, true],
    ['compatible', 0n, 0n, false],
    ['translated (RFC 2765)', 0xffff_0000n << 32n, 0n, false],
    ['NAT64', 0x64_ff9bn << 96n, 0n, false],
    ['local NAT64', 0x64_ff9b_0001n << 80n, 0n, false],
    ['6to4', 0x2002n << 112n, 80n, false],
    ['Teredo', 0x2001_0000n << 96n, 0n, false],
  ])('C-01 dials no private IPv4 address that is %s', (_, prefix, shift, mayBePublic) => {
    fc.assert(
      fc.property(v4, fc.boolean(), (address, isDotted) => {
        const host = `[${spelled6(prefix | (address << shift), isDotted && shift === 0n)}]`;
        expect([host, isDialled(host)]).toEqual([host, mayBePublic && isPublic4(address)]);
      }),
      { numRuns: 500 },
    );
  });

  it('C-01 dials no IPv6 address that is not public', () => {
    fc.assert(
      fc.property(v6, fc.boolean(), (address, isDotted) => {
        const text = spelled6(address, isDotted);
        expect([text, isDialled(`[${text}]`)]).toEqual([text, isPublic6(address)]);
        expect([text, strict.mayDial(text)]).toEqual([text, isPublic6(address)]);
      }),
      { numRuns: 2000 },
    );
  });

  it('C-02 dials a name only when all its addresses are public', async () => {
    const some = fc.oneof(
      v4.map((address) => ({ text: spelled4(address, [0, 0, 0, 0], 0), isPublic: isPublic4(address) })),
      v6.map((address) => ({ text: spelled6(address, false), isPublic: isPublic6(address) })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 4 }), fc.boolean(), async (records, all) => {
        const names = new TestNames().set(
          'name.example',
          records.map(({ text }) => text),
        );
        const guard = new AddressGuard([], names);
        const dialled = await new Promise((resolve) =>
          guard.lookup('name.example', { all }, (error) => resolve(error === null)),
        );
        expect(dialled).toBe(records.every(({ isPublic }) => isPublic));
      }),
      { numRuns: 500 },
    );
  });
});

/** One to four parts, each decimal, octal or hexadecimal; the last one takes what the others leave (inet_aton). */
function spelled4(address: bigint, bases: readonly number[], cut: number): string {
  const bytes = [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n);
  const head = bytes.slice(0, 3 - cut);
  const rest = bytes.slice(3 - cut).reduce((sum, byte) => (sum << 8n) | byte, 0n);
  const inBase = [
    (part: bigint) => part.toString(),
    (part: bigint) => `0${part.toString(8)}`,
    (part: bigint) => `0x${part.toString(16)}`,
  ];
  return [...head, rest].map((part, i) => inBase[bases[i]!]!(part)).join('.');
}

function spelled6(address: bigint, isDotted: boolean): string {
  const groups = Array.from({ length: 8 }, (_, i) => (address >> BigInt(112 - 16 * i)) & 0xffffn);
  const hex = groups.map((group) => group.toString(16));
  if (!isDotted) return hex.join(':');
  const bytes = [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n);
  return [...hex.slice(0, 6), bytes.join('.')].join(':');
}
