import { describe, expect, it } from '@jest/globals';
import { httpOptionsSchema } from './http.options.js';
import { httpWarnings } from './http-warnings.js';

const one = {
  url: 'https://partner.example/verify',
  params: { token: '#{token}' },
  mapping: { uid: '#{user.id}' },
};
const parse = (options: object) => httpOptionsSchema.safeParse({ ...one, ...options });
const issuesOf = (options: object) => parse(options).error!.issues.map(({ path }) => path.join('.'));

describe('the options of an http provider', () => {
  it('need an address, something of the credential and a mapping', () => {
    expect(httpOptionsSchema.parse(one)).toMatchObject({
      method: 'POST',
      bodyFormat: 'json',
      refusedStatuses: [400, 401, 403, 404, 422],
      addressesVerified: false,
      isVendorForm: false,
      credential: { used: ['token'], required: ['token'] },
    });
  });

  it('know which fields a client has to send, and which it may', () => {
    const options = {
      url: 'https://p.example/#{login}?x=#{email|none}',
      headers: { Authorization: 'Bearer #{token}' },
      params: { deep: [{ p: '#{password}', again: '#{login|x}' }] },
    };
    expect(parse(options).data!.credential).toEqual({
      used: ['token', 'login', 'password', 'email'],
      required: ['token', 'login', 'password'],
    });
  });

  it.each([
    ['an unknown option', { uri: 'x' }, ''],
    ['an unknown method', { method: 'DELETE' }, 'method'],
    ['the options of both forms', { endpoint: 'https://p.example' }, 'endpoint'],
    [
      'two vendors’ names',
      { url: undefined, endpoint: 'https://p.example', api_url: 'https://p.example' },
      'api_url',
    ],
    ['headers that are a list', { headers: ['a'] }, 'headers'],
    ['headers that are no JSON', { headers: 'Authorization: x' }, 'headers'],
    ['a header with a line break', { headers: { 'X-A': 'a\r\nb' } }, 'headers.X-A'],
    ['a header beyond Latin-1', { headers: { 'X-A': '☃' } }, 'headers.X-A'],
    ['a header that is an object', { headers: { 'X-A': {} } }, 'headers.X-A'],
    ['a header name with a space', { headers: { 'X A': 'b' } }, 'headers.X A'],
    ['a header name with a colon', { headers: { 'X:A': 'b' } }, 'headers.X:A'],
    ['a template for a header name', { headers: { '#{token}': 'b' } }, 'headers.#{token}'],
    ['two spellings of a header', { headers: { 'X-A': 'a', x_a: 'b' } }, 'headers.x_a'],
    ['the header Host', { headers: { host: 'x' } }, 'headers.host'],
    ['the header Content-Length', { headers: { 'Content-Length': '1' } }, 'headers.Content-Length'],
    [
      'the header Transfer-Encoding',
      { headers: { Transfer_Encoding: 'chunked' } },
      'headers.Transfer_Encoding',
    ],
    ['the header Connection', { headers: { Connection: 'close' } }, 'headers.Connection'],
    ['the header Cookie', { headers: { Cookie: 'sid=#{token}' } }, 'headers.Cookie'],
    ['a signature of its own', { headers: { 'Webhook-Signature': 'v1,x' } }, 'headers.Webhook-Signature'],
    [
      'too many headers',
      { headers: Object.fromEntries([...Array(31).keys()].map((i) => [`x-${i}`, 'a'])) },
      'headers',
    ],
    ['another type of content', { headers: { 'Content-Type': 'text/xml' } }, 'body_format'],
    [
      'two types of content',
      { headers: { 'Content-Type': 'application/json' }, body_format: 'form' },
      'body_format',
    ],
    ['a placeholder of nothing', { params: { token: '#{token}', x: '#{uid}' } }, 'params.x'],
    ['a path in a placeholder', { params: { token: '#{token.a}' } }, 'params.token'],
    ['a broken template', { params: { token: '#{token' } }, 'params.token'],
    ['a template for a name', { params: { '#{token}': '#{token}' } }, 'params.#{token}'],
    ['objects in a query', { method: 'GET', params: { a: { b: '#{token}' } } }, 'params.a'],
    ['lists in a form', { body_format: 'form', params: { a: ['#{token}'] } }, 'params.a'],
    ['deep objects', { params: { a: { b: { c: { d: { e: { f: { g: '#{token}' } } } } } } } }, 'params.a'],
    ['many parameters', { params: { token: '#{token}', a: Array(101).fill(1) } }, 'params.a'],
    [
      'what is shown of a secret',
      { params: { token: '#{token}', a: { b: { fingerprint: 'x' } } } },
      'params.a',
    ],
    ['what is shown of all headers', { headers: { fingerprint: 'x' } }, 'headers'],
    ['what is shown of a header', { headers: { 'X-A': { fingerprint: 'x' } } }, 'headers.X-A'],
    ['a status that says yes', { refused_statuses: [200] }, 'refused_statuses.0'],
    ['a status that says no to everybody', { refused_statuses: [500] }, 'refused_statuses.0'],
    ['a status that says wait', { refused_statuses: [429] }, 'refused_statuses'],
    ['a path with a default', { refused_when: { path: 'a|b', equals: 1 } }, 'refused_when.path'],
    ['two paths', { refused_when: { path: 'a}#{b', equals: 1 } }, 'refused_when.path'],
    ['no path', { refused_when: { path: '', equals: 1 } }, 'refused_when.path'],
    ['a broken mapping', { mapping: { uid: '#{id', email: '#{x}' } }, 'mapping.uid'],
  ])('refuse %s', (_, options, place) => {
    expect(issuesOf(options)).toContain(place);
  });

  it('repeat no secret in a fault', () => {
    const secret = 'hunter2-hunter2';
    const { error } = parse({
      url: `https://${secret}@p.example`,
      headers: { 'X-A': `${secret}☃`, Host: secret },
      params: { a: `${secret}#{`, b: { c: { fingerprint: secret } } },
      mapping: `${secret}`,
    });
    expect(error!.issues.length).toBeGreaterThan(4);
    expect(JSON.stringify([error!.issues, parse({ signing: { secret } }).error!.issues])).not.toContain(
      secret,
    );
  });

  describe('in the form of the dashboards', () => {
    it('are taken as they are pasted', () => {
      const options = httpOptionsSchema.parse({
        endpoint: 'https://partner.example/users/verify',
        method: 'get',
        request_headers: '{"X_Api_Key": "k", "Content_Type": "application/json"}',
        request_params: '{"login": "#{login}", "password": "#{password}"}',
        response_params: '{"uid": "#{user.id}", "email": "#{user.email}", "full_name": "#{user.full_name}"}',
      });
      expect([...options.headers.keys()]).toEqual(['x-api-key']);
      expect(options).toMatchObject({
        method: 'GET',
        isVendorForm: true,
        credential: { used: ['login', 'password'] },
      });
      expect(options.mapping.fields.map(({ target }) => target.name)).toEqual(['uid', 'email', 'full_name']);
    });

    it('say by a header that a form is sent', () => {
      const options = parse({
        headers: { Content_Type: 'application/x-www-form-urlencoded; charset=utf-8' },
      });
      expect(options.data).toMatchObject({ bodyFormat: 'form', isVendorForm: false });
    });

    it('tell a fault at the name that was written', () => {
      expect(
        httpOptionsSchema
          .safeParse({
            api_url: 'nowhere',
            request_params: { a: '#{x}' },
            response_params: { email: '#{x}' },
          })
          .error!.issues.map(({ path }) => path.join('.')),
      ).toEqual(['api_url', 'request_params.a', 'response_params.uid']);
    });
  });
});

describe('the warnings of an http provider', () => {
  const warnings = (options: object) => httpWarnings(httpOptionsSchema.parse({ ...one, ...options }));

  it('are none where nothing is unusual', () => {
    expect(warnings({})).toEqual([]);
    expect(warnings({ url: 'https://p.example/?a=#{token|x}', method: 'POST' })).toHaveLength(1);
  });

  it.each([
    [{ url: 'http://127.0.0.1/' }, 'plain HTTP'],
    [{ method: 'GET' }, '#{token} goes into the address'],
    [{ url: 'https://p.example/#{password}' }, '#{password} goes into the address'],
    [{ url: 'https://p.example/?key=1' }, 'the query of url is shown'],
    [{ params: { p: '#{password}' } }, 'handed to the partner'],
    [{ params: { login: '#{login}' } }, 'whoever knows'],
    [{ addresses_verified: true }, 'addresses_verified'],
  ])('of %j say "%s"', (options, text) => {
    expect(warnings(options)).toContainEqual(expect.stringContaining(text));
  });
});
