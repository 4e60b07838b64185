import type { DescribedRoute } from '../support/described-routes.js';

/** Part of everything that is sent, and of nothing that may come back or be logged. */
export const MARKER = 'zq7marker';

/** What is sent in place of what a route expects. */
export interface Rubbish {
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
  /** Appended to the path. */
  readonly suffix?: string;
  /** In place of each parameter of the path. */
  readonly parameter?: string;
}

type Kinds = Readonly<Record<string, Rubbish | ((route: DescribedRoute) => Rubbish)>>;

const typed = (type: string, body: string | Buffer): Rubbish => ({ headers: [['Content-Type', type]], body });
const json = (body: string | Buffer) => typed('application/json', body);
const members = (value: object) => json(JSON.stringify(value));

/** A body whose every member has this value, given as it stands in JSON. */
const each =
  (value: string) =>
  ({ members }: DescribedRoute): Rubbish =>
    json(`{${(members ?? ['login', 'password']).map((name) => `"${name}":${value}`).join(',')}}`);

/** Bodies that no parser gets through. Refused with this status wherever a route takes a body, whoever asks. */
export const malformedBodies: Kinds = {
  'JSON that breaks off': json(`{"login": "${MARKER}`),
  'text for JSON': json(MARKER),
  'two JSON documents': json(`{"a":"${MARKER}"}{}`),
  'JSON with single quotes': json(`{'login':'${MARKER}'}`),
  'a line break within a text': json(`{"login":"${MARKER}\n"}`),
  NaN: json(`{"login":NaN,"${MARKER}":1}`),
  'a byte order mark': json(`\ufeff{"login":"${MARKER}"}`),
  'a repeated member': json(`{"login":"${MARKER}","login":"${MARKER}"}`),
  __proto__: json(`{"__proto__":{"${MARKER}":"${MARKER}"}}`),
  '__proto__ further down': json(`{"credential":{"__proto__":{"guest":"${MARKER}"}}}`),
  'lists 10 000 deep': json(`${'['.repeat(10_000)}"${MARKER}"${']'.repeat(10_000)}`),
  'objects 10 000 deep': json(`${'{"a":'.repeat(10_000)}"${MARKER}"${'}'.repeat(10_000)}`),
  '100 000 brackets that never close': json(`["${MARKER}"${',['.repeat(100_000)}`),
  'bytes that are not UTF-8': json(Buffer.from(`{"login":"${MARKER}\xff\xc0\x80"}`, 'latin1')),
  'UTF-16': typed('application/json; charset=utf-16', Buffer.from(`{"login":"${MARKER}"}`, 'utf16le')),
  'a compressed body': {
    ...json(MARKER),
    headers: [
      ['Content-Type', 'application/json'],
      ['Content-Encoding', 'gzip'],
    ],
  },
};

export const foreignBodies: Kinds = {
  'a form': typed('application/x-www-form-urlencoded', `login=${MARKER}&a[b]=${MARKER}`),
  'plain text': typed('text/plain', MARKER),
  XML: typed('application/xml', `<!DOCTYPE a [<!ENTITY b "${MARKER}">]><a>&b;</a>`),
  bytes: typed('application/octet-stream', MARKER),
  'multipart without a boundary': typed('multipart/form-data', MARKER),
  'a type that is none': typed(`;;${MARKER};`, '{}'),
  'a type of 10 000 characters': typed(`application/${MARKER.padEnd(10_000, 'x')}`, '{}'),
  'no type': { body: `{"login":"${MARKER}"}` },
};

/** Bodies that are read and then found not to fit. */
export const unfittingBodies: Kinds = {
  'a list': json(`["${MARKER}"]`),
  'a number': json('7'),
  'a text': json(`"${MARKER}"`),
  null: json('null'),
  true: json('true'),
  'members nobody knows': members({ something: MARKER, another: { deeper: [MARKER] } }),
  'toString and valueOf': members({ toString: MARKER, valueOf: MARKER, hasOwnProperty: MARKER }),
  // A member that nobody knows is named in the answer, wherever it stands; its value is not.
  'objects for values': each(`{"something":"${MARKER}"}`),
  'lists for values': each(`["${MARKER}"]`),
  'numbers for values': each('7'),
  'numbers beyond all bounds for values': each('1e400'),
  'truth for values': each('true'),
  'null for values': each('null'),
  'NUL in values': each(`"${MARKER}\\u0000"`),
  'halves of surrogate pairs in values': each(`"${MARKER}\\ud800"`),
  'control characters in values': each(`"${MARKER}\\u0007\\u001b[31m\\u0000"`),
  'values of 10 000 characters': each(`"${MARKER.padEnd(10_000, 'x')}"`),
  'a password credential of wrong types': members({ provider: 'password', credential: { login: [MARKER] } }),
  'a password credential with NUL': members({ provider: 'password', credential: { login: `${MARKER}\0` } }),
  'an application key with NUL': members({ application_id: 1, auth_key: `${MARKER}\0` }),
  'an application key of 10 000 characters': members({
    application_id: 1,
    auth_key: MARKER.padEnd(10_000, 'x'),
  }),
  'an application beyond 2^31': members({ application_id: 2 ** 40, auth_key: MARKER }),
  'a guest of wrong types': members({ provider: 'guest', credential: { full_name: { $ne: MARKER } } }),
  'a guest with NUL': members({ provider: 'guest', credential: { custom_data: `${MARKER}\0` } }),
  'a provider of 10 000 characters': members({ provider: MARKER.padEnd(10_000, 'x'), credential: {} }),
};

/** Where one of those fits after all. */
export const fittingSomewhere: Readonly<Record<string, string>> = {
  'null for values': 'PATCH /admin/v1/applications/{id}/settings',
  'numbers for values': 'POST /admin/v1/applications/{id}/providers/{slug}/rollback',
  'truth for values': 'POST /admin/v1/applications/{id}/rotate-secret',
  'objects for values': 'POST /admin/v1/applications/{id}/providers/{slug}/test',
};

/** What may be passed over where nobody looks at it. */
export const oddities: Kinds = {
  'constructor and prototype': members({ constructor: { prototype: { guest: MARKER } } }),
  'an empty body that says it is JSON': json(''),
  'an empty body without a type': { body: '' },
  'a query of rubbish': {
    suffix: `?something=${MARKER}&limit=${MARKER}&cursor[]=${MARKER}&__proto__=${MARKER}`,
  },
  'a query of bad percent sequences': { suffix: `?limit=%zz&cursor=%E0%A4%A&%=${MARKER}&&==` },
  'a query with NUL': { suffix: `?limit=1%00${MARKER}&cursor=%00${MARKER}` },
  'a query of 10 000 characters': { suffix: `?cursor=${MARKER.padEnd(10_000, '1')}` },
  'a query of 500 parameters': { suffix: `?${`limit=${MARKER}&`.repeat(500)}` },
  'a bad percent sequence in the path': { suffix: `/%zz${MARKER}` },
  'half a character in the path': { suffix: `/%E0%A4%A${MARKER}` },
  'NUL in the path': { suffix: `/%00${MARKER}` },
  'a path that climbs': { suffix: `/..%2f..%2f${MARKER}` },
  'a path of 10 000 characters': { suffix: `/${MARKER.padEnd(10_000, 'x')}` },
  'a parameter of 200 characters': { parameter: MARKER.padEnd(200, 'x') },
  'a parameter of 90 digits': { parameter: '9'.repeat(90) },
  'a parameter beyond 2^53': { parameter: '9007199254740993' },
  'a parameter beyond 2^63': { parameter: '9223372036854775808' },
  'a parameter with NUL': { parameter: `1%00${MARKER}` },
  'a parameter of bad percent sequences': { parameter: `%zz${MARKER}` },
  'a parameter that is half a character': { parameter: `%E0%A4%A${MARKER}` },
  'a parameter of SQL': { parameter: `1%27%20OR%20%271%27=%27${MARKER}` },
  'a parameter that is no whole number': { parameter: '-1.5e3' },
  'an empty parameter': { parameter: '' },
  'an expectation that nobody meets': { headers: [['Expect', MARKER]] },
  'an origin that is none': { headers: [['Origin', MARKER]] },
  'a host of rubbish': { headers: [['Host', `${MARKER}:99999/%zz@`]] },
  'a forwarded address of rubbish': { headers: [['X-Forwarded-For', `${MARKER}, ::zz, `]] },
  'an upgrade': { headers: [['Upgrade', MARKER]] },
  'two content types': {
    headers: [
      ['Content-Type', 'application/json'],
      ['Content-Type', MARKER],
    ],
    body: '{',
  },
};

/** Values of the Authorization header that let nobody in. */
export const oddAuthorizations = {
  'none at all': undefined,
  'an empty one': '',
  'a scheme without a value': 'Bearer',
  'a token of 10 kB': `Bearer ${MARKER.padEnd(10_240, 'x')}`,
  'a token in quotes': `Bearer "${MARKER}"`,
  'two tokens': `Bearer ${MARKER} ${MARKER}`,
  'a token with bytes beyond ASCII': `Bearer ${MARKER}\xff\xfe`,
  'a token of SQL': `Bearer ${MARKER}' OR '1'='1`,
  'a token that is a JWT without a signature': `Bearer eyJhbGciOiJub25lIn0.${MARKER}.`,
  'another scheme': `Digest username="${MARKER}"`,
  'a scheme of rubbish': MARKER,
  'Basic without a value': 'Basic ',
  'Basic that is not base64': `Basic ${MARKER}!!!!`,
  'Basic without a colon': `Basic ${Buffer.from(MARKER).toString('base64')}`,
  'Basic without a user': `Basic ${Buffer.from(`:${MARKER}`).toString('base64')}`,
  'Basic with NUL': `Basic ${Buffer.from(`${MARKER}\0:${MARKER}\0`).toString('base64')}`,
  'Basic with bytes that are not UTF-8': `Basic ${Buffer.from(`${MARKER}\xff:\xff`, 'latin1').toString('base64')}`,
  'Basic of 10 kB': `Basic ${Buffer.from(`${MARKER.padEnd(7_000, 'x')}:x`).toString('base64')}`,
} satisfies Record<string, string | undefined>;
