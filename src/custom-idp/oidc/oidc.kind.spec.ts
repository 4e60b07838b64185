import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { newMasterKey } from '../../secrets/key-ring.js';
import { Secrets } from '../../secrets/secrets.js';
import { OidcKind } from './oidc.kind.js';

const TENANTS = ['11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222'];

describe(OidcKind.name, () => {
  const outbound = new OutboundClient({
    allow: [],
    connectMilliseconds: 1000,
    totalMilliseconds: 1000,
    maxResponseBytes: 1024,
    connectionsPerOrigin: 1,
  });
  const secrets = new Secrets({ masterKeys: [newMasterKey()], keyFile: '' });
  const kind = new OidcKind(outbound, secrets, new ManualClock());
  const parse = (options: object) => kind.optionsSchema.parse({ client_id: 'us', ...options });

  it.each([
    [{ issuer: 'https://partner.example/realms/a' }, ['https://partner.example/realms/a']],
    [{ preset: 'google' }, []],
    [{ preset: 'apple' }, []],
    [{ preset: 'facebook_limited_login' }, []],
    [{ preset: 'microsoft', tenants: TENANTS }, []],
    [
      {
        preset: 'microsoft',
        tenants: TENANTS.slice(0, 1),
        issuer: 'https://login.microsoftonline.us/{tenantid}/v2.0',
      },
      [`https://login.microsoftonline.us/${TENANTS[0]}/v2.0`],
    ],
  ])('says of %j what the operator has dialled: %j', (options, urls) => {
    expect(kind.destinations(parse(options)).map(String)).toEqual(urls);
  });

  it('sends secrets to the origin of the issuer', () => {
    expect(kind.secretDestinations(parse({ issuer: 'https://partner.example/realms/a' }))).toEqual([
      'https://partner.example',
    ]);
    expect(kind.secretDestinations(parse({ preset: 'google' }))).toEqual(['https://accounts.google.com']);
  });

  it('C-21 knows where its secrets stand', () => {
    expect(kind.secretPaths).toEqual(['client_secret', 'apple.private_key', 'tls.client_key']);
  });

  it.each([
    [{ issuer: 'https://partner.example' }, []],
    [{ issuer: 'http://127.0.0.1:9000' }, ['plain HTTP']],
    [{ issuer: 'https://partner.example', nonce: 'optional' }, ['nonce: optional']],
    [{ preset: 'apple' }, ['apple: not given']],
    [{ preset: 'apple', client_secret: 'x' }, ['six months']],
    [
      { preset: 'microsoft', tenants: TENANTS, issuer: 'https://x.example/{tenantid}' },
      ["not Microsoft's own"],
    ],
  ])('warns of %j: %j', (options, parts) => {
    const warnings = kind.warnings(parse(options));
    expect(warnings).toHaveLength(parts.length);
    for (const [i, part] of parts.entries()) expect(warnings[i]).toContain(part);
  });

  it('takes an issuer for what it is, letter for letter', () => {
    expect(parse({ issuer: 'https://partner.example/' })).toMatchObject({
      issuer: 'https://partner.example/',
      issuers: ['https://partner.example/'],
    });
  });
});
