import { describe, expect, it } from '@jest/globals';
import { appsOf, facebookOptionsSchema, facebookWarnings, redirectAppOf } from './facebook.options.js';

const SECRET = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
const one = { apps: { '1234567890': { app_secret: SECRET } } };
const two = { apps: { ...one.apps, '2234567890': { app_secret: SECRET } } };

describe('the options of a facebook provider', () => {
  it('need nothing but an app', () => {
    expect(facebookOptionsSchema.parse(one)).toEqual({
      ...one,
      scope: ['public_profile', 'email'],
      graph_version: 'v25.0',
      graph_url: 'https://graph.facebook.com',
      dialog_url: 'https://www.facebook.com',
      limited_login: {
        enabled: true,
        issuers: ['https://www.facebook.com', 'https://limited.facebook.com'],
        jwks_url: 'https://limited.facebook.com/.well-known/oauth/openid/jwks/',
      },
    });
  });

  it('take several apps, with one for the dialog', () => {
    const options = facebookOptionsSchema.parse({ ...two, redirect_app_id: '2234567890' });
    expect(appsOf(options).map(({ id }) => id)).toEqual(['1234567890', '2234567890']);
    expect(redirectAppOf(options).id).toBe('2234567890');
  });

  it.each([
    ['several apps and none for the dialog', two],
    ['an app for the dialog that is none of them', { ...one, redirect_app_id: '9934567890' }],
    ['an inherited name for the dialog', { ...one, redirect_app_id: 'constructor' }],
    ['an unknown option', { ...one, app_id: '1234567890' }],
    ['an unknown option of an app', { apps: { '1234567890': { app_secret: SECRET, admin: true } } }],
    ['a version of another form', { ...one, graph_version: 'v25' }],
    ['a version with a path', { ...one, graph_version: 'v25.0/../v1.0' }],
    ['plain HTTP', { ...one, graph_url: 'http://graph.facebook.com' }],
    ['another scheme', { ...one, graph_url: 'file:///etc/passwd' }],
    ['user information', { ...one, graph_url: 'https://user:word@graph.facebook.com' }],
    ['a query', { ...one, graph_url: 'https://graph.facebook.com/?access_token=1' }],
    ['a fragment', { ...one, dialog_url: 'https://www.facebook.com/#x' }],
    ['a name that begins like loopback', { ...one, graph_url: 'http://127.0.0.1.example.org' }],
    ['a private address without TLS', { ...one, graph_url: 'http://10.0.0.1' }],
    ['no issuer', { ...one, limited_login: { issuers: [] } }],
    ['an unknown option of Limited Login', { ...one, limited_login: { insecure: true } }],
    ['a scope with a space', { ...one, scope: ['email user_friends'] }],
    ['no scope', { ...one, scope: [] }],
    ['a secret with a line break', { apps: { '1234567890': { app_secret: `${SECRET}\n` } } }],
    ['more apps than one instance serves', { apps: manyApps(21), redirect_app_id: '1000000' }],
  ])('refuse %s', (_, options) => {
    expect(facebookOptionsSchema.safeParse(options).success).toBe(false);
  });

  it.each(['http://127.0.0.1:9000', 'http://localhost:9000', 'http://[::1]:9000'])(
    'take plain HTTP for a stand-in at %s',
    (graph_url) => {
      expect(facebookOptionsSchema.safeParse({ ...one, graph_url }).success).toBe(true);
    },
  );

  it('repeat no secret in a fault', () => {
    const short = 'short-secret';
    const { error } = facebookOptionsSchema.safeParse({ apps: { '1234567890': { app_secret: short } } });
    expect(JSON.stringify(error?.issues)).not.toContain(short);
  });

  it('warn of every address that is not Facebook’s', () => {
    const elsewhere = { ...one, graph_url: 'https://graph.example.org' };
    expect(facebookWarnings(facebookOptionsSchema.parse(one))).toEqual([]);
    expect(facebookWarnings(facebookOptionsSchema.parse(elsewhere))).toEqual([
      expect.stringContaining('graph_url'),
    ]);
  });
});

function manyApps(count: number): object {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [String(1_000_000 + i), { app_secret: SECRET }]),
  );
}
