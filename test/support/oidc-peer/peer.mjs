/*
 * `oidc-provider` as a partner, in a process of its own. Its settings come as the first argument, in JSON; it says
 * "ready" once it listens. Everybody may sign in, with any password: people are called what they call themselves.
 */
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { port, clients, jwks, resource } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients,
  jwks,
  cookies: { keys: ['a key for the cookies of a test'] },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'locale', 'zoneinfo'],
  },
  // Some partners put them there, some want userinfo to be asked; this one does both.
  conformIdTokenClaims: false,
  clientBasedCORS: () => false,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: { IdToken: 3600, AccessToken: 3600, Grant: 3600, Interaction: 3600, Session: 3600 },
  features: {
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: () => ({ audience: resource, scope: 'openid email', accessTokenFormat: 'jwt' }),
      useGrantedResource: () => true,
    },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@partner.example`,
      email_verified: true,
      name: `Name of ${id}`,
      locale: 'de-AT',
      zoneinfo: 'Europe/Vienna',
    }),
  }),
});

createServer(provider.callback()).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
