import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimsStage, outcomeOf, type ClaimsStage } from '../../../test/support/oidc/claims-stage.js';
import { selfSigned, TestAuthority } from '../../../test/support/tls/certificates.js';
import { SystemClock } from '../../time/clock.js';

/** Of a partner whose certificate no public authority knows, and who wants to see one of ours. */
describe('what a definition pins', () => {
  const authority = TestAuthority.named('authority of the partner');
  const own = authority.issue({ name: 'the broker' });
  const tls = { ca: authority.certificate, client_certificate: own.certificate, client_key: own.key };
  let stage: ClaimsStage;

  beforeEach(async () => {
    const { certificate: cert, key } = authority.issue({ name: 'partner', hosts: ['127.0.0.1'] });
    const shown = { ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    stage = await claimsStage(new SystemClock(), { cert, key, ...shown });
  });
  afterEach(() => stage.close());

  const idToken = (options: object) => {
    const verifier = stage.oidc(options);
    const payload = { nonce: verifier.issueNonce().nonce };
    return outcomeOf(verifier, { id_token: stage.issuer.token('ada', { payload }) });
  };
  const byBrowser = async (options: object) => {
    const verifier = stage.oidc({ userinfo: true, ...options });
    const leg = {
      callbackUrl: new URL('https://id.example/v1/sign-in/callback'),
      state: 's'.repeat(43),
      nonce: 'n'.repeat(43),
      codeVerifier: 'v'.repeat(43),
      signal: AbortSignal.timeout(10_000),
    };
    try {
      const { url, memory } = await verifier.startRedirect(leg);
      const parameters = stage.issuer.consent(url, 'ada');
      await verifier.finishRedirect({ ...leg, parameters, memory });
      return 'verified';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const ways: Readonly<Record<string, (options: object) => Promise<string>>> = {
    'the keys of the kind jwt': (options) =>
      outcomeOf(stage.jwt(options), { token: stage.issuer.token('ada') }),
    'the kind introspection': (options) =>
      outcomeOf(stage.introspection(options), { token: stage.issuer.opaqueToken('ada') }),
    'discovery and keys of the kind oidc': idToken,
    'code flow and userinfo of the kind oidc': byBrowser,
    'introspection by the kind oidc': (options) =>
      outcomeOf(stage.oidc({ access_tokens: 'introspection', ...options }), {
        access_token: stage.issuer.opaqueToken('ada'),
      }),
  };

  it.each(Object.keys(ways))('C-18 is used for %s, and nothing else will do', async (name) => {
    const ask = ways[name]!;
    expect(await ask({ tls })).toBe('verified');
    const stranger = selfSigned({ name: 'a stranger' });
    const others = [
      {},
      { tls: { ca: tls.ca } },
      { tls: { ca: tls.ca, client_certificate: stranger.certificate, client_key: stranger.key } },
      { tls: { ...tls, ca: TestAuthority.named('another authority').certificate } },
    ];
    for (const other of others) expect(await ask(other)).toBe('identity_provider_unavailable');
  });
});
