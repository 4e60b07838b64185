import type { ServerOptions } from 'node:https';
import { IntrospectionKind } from '../../../src/custom-idp/introspection/introspection.kind.js';
import { JwtKind } from '../../../src/custom-idp/jwt/jwt.kind.js';
import { OidcKind } from '../../../src/custom-idp/oidc/oidc.kind.js';
import type { OidcVerifier } from '../../../src/custom-idp/oidc/oidc.verifier.js';
import type { IdentityVerifier } from '../../../src/identity/identity-verifier.js';
import type { VerifierKind } from '../../../src/identity/verifier-kind.js';
import { OutboundClient, type OutboundRequest } from '../../../src/outbound/outbound-client.js';
import { newMasterKey } from '../../../src/secrets/key-ring.js';
import { Secrets } from '../../../src/secrets/secrets.js';
import type { Clock } from '../../../src/time/clock.js';
import { CLIENT, IssuerDouble } from './issuer-double.js';

const OUTBOUND = {
  connectMilliseconds: 1000,
  totalMilliseconds: 3000,
  maxResponseBytes: 262_144,
  connectionsPerOrigin: 20,
};

/** Whatever is asked by https is asked of the double: for providers whose addresses are not ours to choose. */
class ReroutedClient extends OutboundClient {
  constructor(private readonly double: IssuerDouble) {
    super({ ...OUTBOUND, allow: ['127.0.0.1'] });
  }

  override send(request: OutboundRequest) {
    const { protocol, pathname, host } = request.url;
    if (protocol !== 'https:') return super.send(request);
    this.double.rerouted.push(`${host}${pathname}`);
    const plain = pathname.replace(/^.*(?=\/\.well-known\/)/, '');
    return super.send({ ...request, url: new URL(plain, this.double.issuer) });
  }
}

/** A double of an issuer, and the three kinds that take its tokens, each as it would be opened from a definition. */
export async function claimsStage(clock: Clock, tls?: ServerOptions) {
  const issuer = await IssuerDouble.start(clock, tls);
  const outbound = new OutboundClient({ ...OUTBOUND, allow: ['127.0.0.1'] });
  const closed = new OutboundClient({ ...OUTBOUND, allow: [] });
  const further: OutboundClient[] = [];
  const secrets = new Secrets({ masterKeys: [newMasterKey()], keyFile: '' });
  const opened = <Options>(kind: VerifierKind<Options>, options: object, id = 1): IdentityVerifier =>
    kind.open({
      ref: { id, applicationId: 1, kind: kind.kind, slug: 'partner', version: 1 },
      options: kind.optionsSchema.parse(options),
    });
  const jwtOptions = (overrides: object = {}) => ({
    issuer: issuer.issuer,
    audience: CLIENT.id,
    algorithms: ['RS256'],
    jwks_url: `${issuer.issuer}/jwks`,
    ...overrides,
  });
  const introspectionOptions = (overrides: object = {}) => ({
    url: `${issuer.issuer}/introspect`,
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    audiences: [CLIENT.id],
    ...overrides,
  });
  const oidcOptions = (overrides: object = {}) => ({
    issuer: issuer.issuer,
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    ...overrides,
  });
  return {
    issuer,
    closed,
    outbound,
    secrets,
    jwtOptions,
    oidcOptions,
    jwt: (overrides: object = {}, client = outbound) =>
      opened(new JwtKind(client, clock), jwtOptions(overrides)),
    introspection: (overrides: object = {}, client = outbound) =>
      opened(new IntrospectionKind(client, clock), introspectionOptions(overrides)),
    oidc: (overrides: object = {}, client = outbound, id = 1) =>
      opened(new OidcKind(client, secrets, clock), oidcOptions(overrides), id) as OidcVerifier,
    /** A provider whose address is a preset's, answered by the double. */
    preset: (options: object) => {
      const client = new ReroutedClient(issuer);
      further.push(client);
      return opened(new OidcKind(client, secrets, clock), options) as OidcVerifier;
    },
    close: async () => {
      await Promise.all([outbound, closed, ...further].map((client) => client.close()));
      await issuer.close();
    },
  };
}

export type ClaimsStage = Awaited<ReturnType<typeof claimsStage>>;

/** What came of it: `verified`, or the code of the refusal. */
export async function outcomeOf(
  verifier: IdentityVerifier,
  credential: object,
  signal = AbortSignal.timeout(10_000),
): Promise<string> {
  try {
    await verifier.verify(verifier.credentialSchema.parse(credential), { signal });
    return 'verified';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
