import { describe, expect, it } from '@jest/globals';
import { twitterOptionsSchema } from './twitter.options.js';

const CONSUMER = { consumer_key: 'key', consumer_secret: 'hidden-secret' };
const CLIENT = { client_id: 'client', redirect_uris: ['exampleapp://callback'] };

describe('twitterOptionsSchema', () => {
  it.each<[string, object]>([
    ['consumer keys alone', CONSUMER],
    ['a public client alone', CLIENT],
    ['a confidential client', { ...CLIENT, client_secret: 'hidden-secret' }],
    ['both', { ...CONSUMER, ...CLIENT }],
    ['a stand-in on this machine', { ...CONSUMER, api_url: 'http://127.0.0.1:8080' }],
    ['another https origin', { ...CONSUMER, api_url: 'https://api.twitter.com' }],
  ])('takes %s', (_name, options) => {
    expect(twitterOptionsSchema.safeParse(options).success).toBe(true);
  });

  it('sends to api.x.com unless it is told otherwise', () => {
    expect(twitterOptionsSchema.parse(CONSUMER).api_url).toBe('https://api.x.com');
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['a consumer key without its secret', { consumer_key: 'key' }],
    ['a consumer secret without its key', { consumer_secret: 'hidden-secret', ...CLIENT }],
    ['a client without redirect URIs', { client_id: 'client' }],
    ['a client with no redirect URI', { client_id: 'client', redirect_uris: [] }],
    ['redirect URIs without a client', { ...CONSUMER, redirect_uris: ['https://app.example/'] }],
    ['a client secret without a client', { ...CONSUMER, client_secret: 'hidden-secret' }],
    ['an empty key', { consumer_key: '', consumer_secret: 'hidden-secret' }],
    ['a number for a key', { consumer_key: 7, consumer_secret: 'hidden-secret' }],
    ['a relative redirect URI', { ...CLIENT, redirect_uris: ['/callback'] }],
    ['a redirect URI with a fragment', { ...CLIENT, redirect_uris: ['https://app.example/#x'] }],
    ['an address of X in the clear', { ...CONSUMER, api_url: 'http://api.x.com' }],
    ['a name that begins like loopback', { ...CONSUMER, api_url: 'http://127.0.0.1.example.com' }],
    ['an address with a path', { ...CONSUMER, api_url: 'https://api.x.com/2' }],
    ['an address with a query', { ...CONSUMER, api_url: 'https://api.x.com?' }],
    ['an address with a user', { ...CONSUMER, api_url: 'https://a:b@api.x.com' }],
    ['an address of another scheme', { ...CONSUMER, api_url: 'ftp://api.x.com' }],
    ['an unknown option', { ...CONSUMER, bearer_token: 'hidden-secret' }],
  ])('refuses %s, and repeats no secret', (_name, options) => {
    const { error } = twitterOptionsSchema.safeParse(options);
    expect(error).toBeDefined();
    expect(JSON.stringify(error)).not.toContain('hidden-secret');
  });
});
