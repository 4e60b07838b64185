export interface GraphError {
  readonly message: string;
  readonly type: 'OAuthException' | 'GraphMethodException';
  readonly code: number;
  readonly error_subcode?: number;
  /** 400 unless it says otherwise. */
  readonly status?: number;
}

const oauth = (code: number, message: string, error_subcode?: number): GraphError => ({
  message,
  type: 'OAuthException',
  code,
  ...(error_subcode !== undefined && { error_subcode }),
});
const method = (code: number, message: string): GraphError => ({
  message,
  type: 'GraphMethodException',
  code,
});

/** What Graph writes, word by word where it is known. */
export const graphErrors = {
  tokenRequired: oauth(2500, 'An access token is required to request this resource.'),
  notAnAppToken: oauth(
    100,
    '(#100) You must provide an app access token, or a user access token that is an owner or developer of the app',
  ),
  unknownApp: oauth(101, 'Error validating application. Cannot get application info due to a system error.'),
  badSignature: oauth(190, 'Invalid OAuth access token signature.'),
  otherApp: oauth(100, '(#100) The App_id in the input_token did not match the Viewing App'),
  inputTokenMissing: oauth(100, '(#100) The parameter input_token is required'),
  unreadableToken: oauth(190, 'Invalid OAuth access token - Cannot parse access token'),
  expired: oauth(190, 'Error validating access token: Session has expired.', 463),
  noUser: oauth(2500, 'An active access token must be used to query information about the current user.'),
  proofRequired: method(100, 'API calls from the server require an appsecret_proof argument'),
  proofInvalid: method(100, 'Invalid appsecret_proof provided in the API argument'),
  badClientSecret: oauth(1, 'Error validating client secret.'),
  badCode: oauth(100, 'Invalid verification code format.'),
  usedCode: oauth(100, 'This authorization code has been used.', 36009),
  otherRedirectUri: oauth(
    100,
    'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
    36008,
  ),
  badCodeVerifier: oauth(100, 'Invalid code_verifier parameter'),
  unknownPath: oauth(2500, 'Unknown path components'),
  throttled: oauth(4, '(#4) Application request limit reached'),
  serviceDown: { ...oauth(2, 'Service temporarily unavailable'), status: 503 },
} as const satisfies Record<string, GraphError>;
