/** An answer of X, as it goes over the wire. */
export interface XAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly location?: string;
}

export const json = (status: number, value: unknown): XAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

/** API 1.1. */
export const refused = (status: number, code: number, message: string): XAnswer =>
  json(status, { errors: [{ code, message }] });

/** API 2. */
export const problem = (status: number, type: string, title: string, detail: string): XAnswer => ({
  ...json(status, { title, type, status, detail }),
  type: 'application/problem+json',
});

export const tokenError = (status: number, error: string, description: string): XAnswer =>
  json(status, { error, error_description: description });

export const form = (values: Record<string, string>): XAnswer => ({
  status: 200,
  type: 'text/html;charset=utf-8',
  body: new URLSearchParams(values).toString(),
});

export const page = (content: string): XAnswer => ({
  status: 200,
  type: 'text/html;charset=utf-8',
  body: `<!doctype html><html lang="en"><head><title>X / Authorize an application</title></head><body>${content}</body></html>`,
});

export const BAD_DATA = refused(400, 215, 'Bad Authentication data.');
export const NOT_AUTHENTICATED = refused(401, 32, 'Could not authenticate you.');
export const INVALID_TOKEN = refused(401, 89, 'Invalid or expired token.');
export const OUT_OF_BOUNDS = refused(401, 135, 'Timestamp out of bounds.');
export const NO_SUCH_PAGE = refused(404, 34, 'Sorry, that page does not exist.');
export const SUSPENDED = refused(
  403,
  64,
  'Your account is suspended and is not permitted to access this feature.',
);
export const NOT_IN_PLAN = refused(
  403,
  453,
  'You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media post, oauth) only. If you need access to this endpoint, you may need a different access level. You can learn more here: https://developer.x.com/en/portal/product',
);
export const UNAUTHORIZED = problem(401, 'about:blank', 'Unauthorized', 'Unauthorized');
export const SUSPENDED_V2 = problem(
  403,
  'https://api.twitter.com/2/problems/user-suspended',
  'Forbidden',
  'The user used for authentication is suspended',
);
export const CLIENT_FORBIDDEN = json(403, {
  client_id: '27654321',
  detail:
    'When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter developer App that is attached to a Project. You can create a project via the developer portal.',
  registration_url: 'https://developer.twitter.com/en/docs/projects/overview',
  title: 'Client Forbidden',
  required_enrollment: 'Standard Basic',
  reason: 'client-not-enrolled',
  type: 'https://api.twitter.com/2/problems/client-forbidden',
});
/** These endpoints say this in XML, whatever was asked for. */
export const CALLBACK_NOT_APPROVED: XAnswer = {
  status: 403,
  type: 'application/xml;charset=utf-8',
  body: `<?xml version='1.0' encoding='UTF-8'?><errors><error code="415">Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application settings</error></errors>`,
};
