import { authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client';
import { BrokerError } from '../../errors/broker-error.js';
import type { RedirectCallback, RedirectRequest } from '../../identity/identity-verifier.js';
import { toldCheck, type Check } from '../../identity/told-check.js';
import { tradeFailure } from './library-failure.js';
import type { Discovered } from './oidc-discovery.js';
import type { OidcOptions } from './oidc.options.js';
import type { OutboundFetch } from './outbound-fetch.js';

/** What a code was traded for. Neither is verified yet. */
export interface TradedTokens {
  readonly idToken: string;
  readonly accessToken: string;
}

const CHECKS = {
  state: { name: 'state', reason: 'the browser comes from another sign-in' },
  iss: { name: 'iss', reason: 'the browser comes from another provider' },
  code: { name: 'code', reason: 'the browser brings no code' },
} as const satisfies Record<string, Check>;

/**
 * Where the browser is sent: the authorization endpoint, with PKCE (RFC 7636, S256), state and nonce.
 *
 * @throws BrokerError `identity_provider_misconfigured` for a provider that browsers cannot be sent to.
 */
export async function authorizationUrl(
  { config, metadata }: Discovered,
  { scope, hosted_domains }: OidcOptions,
  { callbackUrl, state, nonce, codeVerifier }: RedirectRequest,
): Promise<URL> {
  if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined) {
    throw new BrokerError('identity_provider_misconfigured', {
      cause: new Error('the provider has no code flow'),
    });
  }
  return buildAuthorizationUrl(config, {
    redirect_uri: callbackUrl.href,
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    // Only so that people are not offered accounts that are refused afterwards.
    ...(hosted_domains?.length === 1 && { hd: hosted_domains[0]! }),
  });
}

/**
 * Trades the code that the browser brings.
 *
 * @throws BrokerError `invalid_credentials` for what the browser brings; as `tradeFailure`.
 */
export async function tradeCode(
  { config, metadata }: Discovered,
  fetch: OutboundFetch,
  { parameters, callbackUrl, state, nonce, codeVerifier, signal, trace }: RedirectCallback,
): Promise<TradedTokens> {
  const { code, iss, state: returned } = parameters;
  toldCheck(trace, CHECKS.state, returned === state, 'the state it was sent off with', 'another');
  // RFC 9207: an answer of another provider, mixed into this sign-in, would have its code sent to this one.
  if (iss !== undefined || metadata.authorization_response_iss_parameter_supported === true) {
    toldCheck(trace, CHECKS.iss, iss === metadata.issuer, metadata.issuer, iss);
  }
  // Whatever else it brings ("error=server_error", …) is the browser's word, not the provider's.
  toldCheck(
    trace,
    CHECKS.code,
    code !== undefined && parameters['error'] === undefined,
    'a code',
    parameters['error'],
  );
  const url = new URL(callbackUrl);
  url.search = new URLSearchParams({ code: code!, state, ...(iss !== undefined && { iss }) }).toString();
  const checks = {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: codeVerifier,
    idTokenExpected: true,
  };
  try {
    const tokens = await fetch.during({ purpose: 'token', signal, trace }, () =>
      authorizationCodeGrant(config, url, checks),
    );
    return { idToken: tokens.id_token!, accessToken: tokens.access_token };
  } catch (error) {
    throw tradeFailure(error);
  }
}
