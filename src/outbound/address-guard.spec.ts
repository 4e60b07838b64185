import { describe, expect, it } from '@jest/globals';
import type { LookupAddress } from 'node:dns';
import { AddressGuard, RefusedAddressError } from './address-guard.js';

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
    'http://127.1',
    'http://127.000.000.001',
    'http://0',
    'http://0x7f000001',
    'http://0177.0.0.1',
    'http://2130706433',
    'http://[::1]',
    'http://[::ffff:10.0.0.1]',
    'http://[fd00::1]',
    'http://0.0.0.0',
    'http://１２７.0.0.1',
    'https://user:word@example.org',
    'https://user@example.org',
    'file:///etc/passwd',
    'gopher://example.org',
    'ftp://example.org',
    'data:text/plain,x',
    'ws://example.org',
  ])('refuses %s before anything is resolved', (url) => {
    expect(() => strict.checkUrl(new URL(url))).toThrow(RefusedAddressError);
  });

  it.each(['https://example.org/path', 'http://8.8.8.8:8080', 'https://[2606:4700:4700::1111]'])(
    'has nothing against %s',
    (url) => {
      expect(() => strict.checkUrl(new URL(url))).not.toThrow();
    },
  );

  const lookedUp = (guard: AddressGuard, name: string, all: boolean) =>
    new Promise<unknown>((resolve) =>
      guard.lookup(name, { all }, (error, address) => resolve(error ?? address)),
    );

  it.each([true, false])('refuses a name of this machine when it is resolved (all: %s)', async (all) => {
    expect(await lookedUp(strict, 'localhost', all)).toBeInstanceOf(RefusedAddressError);
  });

  it('resolves a name that the operator lists, wherever it leads, however it is spelled', async () => {
    const guard = new AddressGuard(['LocalHost']);
    const [first] = (await lookedUp(guard, 'LOCALHOST', true)) as LookupAddress[];
    expect(['127.0.0.1', '::1']).toContain(first!.address);
    expect(['127.0.0.1', '::1']).toContain(await lookedUp(guard, 'localhost', false));
  });

  it('resolves a name whose addresses the operator lists', async () => {
    const guard = new AddressGuard(['127.0.0.0/8', '::1']);
    expect(['127.0.0.1', '::1']).toContain(await lookedUp(guard, 'localhost', false));
  });

  it('passes on that there is no such name', async () => {
    const error = await lookedUp(strict, 'no-such-name.invalid', true);
    expect(error).toMatchObject({ syscall: 'getaddrinfo' });
    expect(error).not.toBeInstanceOf(RefusedAddressError);
  });
});
