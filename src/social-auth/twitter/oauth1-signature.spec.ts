import { describe, expect, it } from '@jest/globals';
import {
  hmacSha1Signature,
  oauth1Authorization,
  percentEncode,
  signatureBaseString,
} from './oauth1-signature.js';

describe(percentEncode.name, () => {
  it.each([
    ['Ladies + Gentlemen', 'Ladies%20%2B%20Gentlemen'],
    ['An encoded string!', 'An%20encoded%20string%21'],
    ['Dogs, Cats & Mice', 'Dogs%2C%20Cats%20%26%20Mice'],
    ['☃', '%E2%98%83'],
    ["!'()*", '%21%27%28%29%2A'],
    ['-._~', '-._~'],
    ['%', '%25'],
    ['', ''],
  ])('writes %j as RFC 5849 §3.6 asks', (text, encoded) => {
    expect(percentEncode(text)).toBe(encoded);
  });
});

describe(signatureBaseString.name, () => {
  it('makes the example of RFC 5849 §3.4.1.1', () => {
    const base = signatureBaseString(
      'post',
      new URL('http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b'),
      [
        ['oauth_consumer_key', '9djdj82h48djs9d2'],
        ['oauth_token', 'kkk9d7dh3k39sjv7'],
        ['oauth_signature_method', 'HMAC-SHA1'],
        ['oauth_timestamp', '137131201'],
        ['oauth_nonce', '7d8f3e4a'],
        ['c2', ''],
        ['a3', '2 q'],
      ],
    );
    expect(base).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D' +
        '%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1' +
        '%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
  });

  it('keeps a port that is not the default one', () => {
    expect(signatureBaseString('GET', new URL('https://www.example.net:8080/?q=1'), [])).toBe(
      'GET&https%3A%2F%2Fwww.example.net%3A8080%2F&q%3D1',
    );
  });
});

describe(hmacSha1Signature.name, () => {
  it('signs the example of RFC 5849 §1.2', () => {
    const base = signatureBaseString(
      'GET',
      new URL('http://photos.example.net/photos?file=vacation.jpg&size=original'),
      [
        ['oauth_consumer_key', 'dpf43f3p2l4k3l03'],
        ['oauth_token', 'nnch734d00sl2jdk'],
        ['oauth_signature_method', 'HMAC-SHA1'],
        ['oauth_timestamp', '137131202'],
        ['oauth_nonce', 'chapoH'],
      ],
    );
    expect(hmacSha1Signature(base, 'kd94hf93k423kf44', 'pfkkdhi9sl3r4s00')).toBe(
      'MdpQcU8iPSUjWoN/UDMsK2sui9I=',
    );
  });

  it.each([
    ['1.1', 'hCtSmYh+iHYCEqBWrE7C7hYmtUk='],
    ['1', 'tnnArxj06cWHq44gCs1OSKk/jLY='],
  ])('signs the example of X\'s page "Creating a signature", as it stood for API %s', (version, expected) => {
    const base = signatureBaseString(
      'POST',
      new URL(`https://api.twitter.com/${version}/statuses/update.json?include_entities=true`),
      [
        ['status', 'Hello Ladies + Gentlemen, a signed OAuth request!'],
        ['oauth_consumer_key', 'xvz1evFS4wEEPTGEFPHBog'],
        ['oauth_nonce', 'kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg'],
        ['oauth_signature_method', 'HMAC-SHA1'],
        ['oauth_timestamp', '1318622958'],
        ['oauth_token', '370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb'],
        ['oauth_version', '1.0'],
      ],
    );
    const signature = hmacSha1Signature(
      base,
      'kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw',
      'LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE',
    );
    expect(signature).toBe(expected);
  });
});

describe(oauth1Authorization.name, () => {
  it('signs the request token of X\'s page "Implementing Sign in with X"', () => {
    const base = signatureBaseString('POST', new URL('https://api.twitter.com/oauth/request_token'), [
      ['oauth_callback', 'http://localhost/sign-in-with-twitter/'],
      ['oauth_consumer_key', 'cChZNFj6T5R0TigYB9yd1w'],
      ['oauth_nonce', 'ea9ec8429b68d6b77cd5600adbbb0456'],
      ['oauth_signature_method', 'HMAC-SHA1'],
      ['oauth_timestamp', '1318467427'],
      ['oauth_version', '1.0'],
    ]);
    expect(hmacSha1Signature(base, 'L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg')).toBe(
      'F1Li3tvehgcraF8DMJ7OyxO4w9Y=',
    );
  });

  it('writes one header with every protocol parameter, encoded', () => {
    const header = oauth1Authorization(
      { method: 'GET', url: new URL('http://photos.example.net/photos?file=vacation.jpg') },
      { consumerKey: 'key+', consumerSecret: 'secret', token: 'to ken', tokenSecret: 'hidden' },
      { nonce: 'chapoH', timestampSeconds: 137131202 },
    );
    expect(header).toMatch(
      /^OAuth oauth_consumer_key="key%2B", oauth_nonce="chapoH", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_token="to%20ken", oauth_version="1\.0", oauth_signature="[\w%]+%3D"$/,
    );
  });

  it('leaves the token out where there is none yet', () => {
    const header = oauth1Authorization(
      { method: 'POST', url: new URL('https://api.x.com/oauth/request_token') },
      { consumerKey: 'key', consumerSecret: 'secret' },
      { nonce: 'chapoH', timestampSeconds: 1 },
    );
    expect(header).not.toContain('oauth_token');
  });
});
