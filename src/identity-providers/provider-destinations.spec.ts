import { describe, expect, it } from '@jest/globals';
import { TestNames } from '../../test/support/test-names.js';
import type { BrokerError } from '../errors/broker-error.js';
import { DestinationCheck } from '../outbound/destination-check.js';
import { ProviderDestinations } from './provider-destinations.js';

const OUTBOUND = {
  allow: [],
  connectMilliseconds: 1000,
  totalMilliseconds: 3000,
  maxResponseBytes: 1024,
  connectionsPerOrigin: 1,
};

describe(ProviderDestinations, () => {
  const names = new TestNames().set('public.example', ['8.8.8.8']).set('inside.example', ['10.0.0.1']);
  const destinations = new ProviderDestinations(new DestinationCheck(OUTBOUND, names));
  const judge = (urls: string[], options: unknown = {}) =>
    destinations.judge(
      urls.map((url) => new URL(url)),
      options,
    );
  const placesOf = async (urls: string[], options: unknown) => {
    const error = (await judge(urls, options).catch((thrown: unknown) => thrown)) as BrokerError;
    return error.errors!.map(({ pointer }) => pointer);
  };

  it.each([
    [
      'as it is written',
      'https://inside.example/a',
      { x: 'b', 'u/r~l': 'https://inside.example/a' },
      '/u~1r~0l',
    ],
    ['however it is spelled', 'https://inside.example/', { url: 'HTTPS://Inside.Example:443' }, '/url'],
    ['in a list', 'http://127.0.0.1/', { urls: ['https://public.example', 'http://127.1'] }, '/urls/1'],
    [
      'of which it is a part',
      'https://inside.example/.well-known/x',
      { issuer: 'https://inside.example' },
      '/issuer',
    ],
    ['as a template', 'https://inside.example/', { url: 'https://inside.example/?t=#{token}' }, '/url'],
    [
      'rather whole than in part',
      'https://inside.example/b',
      { a: 'https://inside.example/a', b: 'https://inside.example/b' },
      '/b',
    ],
    ['nowhere', 'https://inside.example/', { host: 'inside.example', n: 1, no: null }, ''],
  ])('names the place of an address, %s', async (_, url, options, place) => {
    expect(await placesOf([url], options)).toEqual([`/options${place}`]);
  });

  it('names each fault', async () => {
    const options = {
      a: 'https://inside.example/',
      b: 'ftp://public.example/',
      c: 'https://public.example/',
    };
    expect(await placesOf(Object.values(options), options)).toEqual(['/options/a', '/options/b']);
  });

  it('covers what it judged, and nothing else', async () => {
    const { covers, warnings } = await judge(['https://public.example/a', 'https://nobody.example/']);
    expect(warnings).toEqual([expect.stringContaining('nobody.example')]);
    expect(covers([])).toBe(true);
    expect(covers([new URL('https://public.example/a')])).toBe(true);
    expect(covers([new URL('https://public.example/a'), new URL('https://inside.example/')])).toBe(false);
    expect(covers([new URL('https://user@public.example/a')])).toBe(false);
  });
});
