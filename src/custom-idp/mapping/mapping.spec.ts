import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { BrokerError } from '../../errors/broker-error.js';
import type { TracedMapping, VerificationTrace } from '../../observability/verification-trace.js';
import { applyMapping } from './apply-mapping.js';
import { mappingSchema } from './mapping.schema.js';

const UID = { uid: '#{user.id}' };
const PERSON = { user: { id: 7, name: 'Ada Lovelace', mail: 'ada@example.org', plan: { name: 'gold' } } };

const compiled = (mapping: unknown, defaults?: Record<string, string>) =>
  mappingSchema(defaults).parse(mapping);
const apply = (mapping: unknown, answer: unknown = PERSON) => applyMapping(compiled(mapping), answer);
const userOf = (mapping: object, answer: unknown = PERSON) => apply({ ...UID, ...mapping }, answer).user;

/** What is told of each target. */
function told(mapping: object, answer: unknown = PERSON) {
  const mappings: TracedMapping[] = [];
  const trace = { mapping: (one: TracedMapping) => void mappings.push(one) } as unknown as VerificationTrace;
  try {
    applyMapping(compiled(mapping), answer, trace);
  } catch (error) {
    expect(error).toBeInstanceOf(BrokerError);
  }
  return mappings;
}

function errorOf(mapping: object, answer: unknown): BrokerError {
  try {
    apply(mapping, answer);
  } catch (error) {
    return error as BrokerError;
  }
  throw new Error('nothing was thrown');
}

describe('a mapping', () => {
  it('takes everything that it can name', () => {
    const answer = {
      ...PERSON,
      u: {
        login: 'ada',
        phone: '+49 (151) 123-456',
        web: 'https://ada.example',
        ext: 12,
        data: { a: [1] },
        locale: 'en_GB',
        zone: 'Europe/London',
        country: 'gb',
        photo: 'https://img.example/a.png',
        tags: ['x', ' y ', 'x', 3],
        joined: '1843-01-01',
      },
    };
    const mapping = {
      uid: '#{user.id}',
      login: '#{u.login}',
      email: '#{user.mail}',
      phone: '#{u.phone}',
      full_name: '#{user.name}',
      website: '#{u.web}',
      external_user_id: '#{u.ext}',
      custom_data: '#{u.data}',
      locale: '#{u.locale}',
      timezone: '#{u.zone}',
      country: '#{u.country}',
      avatar_url: '#{u.photo}',
      tag_list: '#{u.tags}',
      'attributes.plan': '#{user.plan}',
      'attributes.level': 3,
      continuity: '#{u.joined}',
    };
    expect(apply(mapping, answer)).toEqual({
      subject: '7',
      email: 'ada@example.org',
      phone: '+49151123456',
      continuity: '1843-01-01',
      profile: {
        name: 'Ada Lovelace',
        preferred_username: 'ada',
        picture: 'https://img.example/a.png',
        locale: 'en-GB',
      },
      user: {
        login: 'ada',
        fullName: 'Ada Lovelace',
        website: 'https://ada.example',
        externalId: '12',
        customData: '{"a":[1]}',
        locale: 'en-GB',
        timezone: 'Europe/London',
        country: 'GB',
        tags: ['x', 'y', '3'],
        attributes: { plan: { name: 'gold' }, level: 3 },
      },
    });
  });

  it('takes nothing but the subject where nothing else is named', () => {
    expect(apply(UID)).toEqual({ subject: '7', profile: {} });
  });

  it('is an object or the JSON text of one', () => {
    expect(apply(JSON.stringify(UID)).subject).toBe('7');
    expect(apply({ uid: { template: '#{user.id}' } }).subject).toBe('7');
  });

  it('joins and fills in what is missing', () => {
    expect(userOf({ login: 'x_#{user.id}', full_name: '#{user.nick|Anonymous}' })).toEqual({
      login: 'x_7',
      fullName: 'Anonymous',
    });
  });

  it('takes constants', () => {
    expect(userOf({ tags: ['partner', 'x'], website: 'https://p.example', 'attributes.vip': true })).toEqual({
      tags: ['partner', 'x'],
      website: 'https://p.example',
      attributes: { vip: true },
    });
    expect(userOf({ tags: 'a, b,,a' })).toEqual({ tags: ['a', 'b'] });
  });

  it('takes defaults for what it does not map, and none for what it maps to null', () => {
    const defaults = { uid: '#{sub}', email: '#{email}', full_name: '#{name}' };
    const claims = { sub: 's', email: 'a@b.example', name: 'A', nick: 'N' };
    const person = (mapping: object) => applyMapping(compiled(mapping, defaults), claims);
    expect(person({})).toMatchObject({ subject: 's', email: 'a@b.example', user: { fullName: 'A' } });
    expect(person({ full_name: '#{nick}', email: null })).toEqual({
      subject: 's',
      profile: { name: 'N' },
      user: { fullName: 'N' },
    });
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['text that is no JSON', 'uid: #{id}'],
    ['a repeated name', '{"uid":"#{id}","uid":"#{name}"}'],
    ['no uid', { email: '#{mail}' }],
    ['a uid that is null', { uid: null }],
    ['the same uid for everybody', { uid: 'everybody' }],
    ['a number for everybody', { uid: 7 }],
    ['a default for the uid', { uid: '#{id|7}' }],
    ['two names for one field', { ...UID, external_id: '#{a}', external_user_id: '#{b}' }],
    ['an unknown field', { ...UID, nick: '#{nick}' }],
    ['an unknown rule', { ...UID, email: { template: '#{mail}', trusted: true } }],
    ['a rule without a template', { ...UID, email: { required: true } }],
    ['a type that the field cannot have', { ...UID, email: { template: '#{mail}', type: 'list' } }],
    ['a constant that does not fit', { ...UID, email: 'nobody' }],
    ['placeholders in a list', { ...UID, tags: ['#{plan}'] }],
    ['an object of a constant', { ...UID, 'attributes.x': { y: 1 } }],
    ['an attribute without a name', { ...UID, 'attributes.': '#{x}' }],
    ['an attribute below an attribute', { ...UID, 'attributes.a.b': '#{x}' }],
    [
      'too many attributes',
      { ...UID, ...Object.fromEntries([...Array(33).keys()].map((i) => [`attributes.a${i}`, i])) },
    ],
  ])('refuses %s', (_, mapping) => {
    expect(mappingSchema().safeParse(mapping).success).toBe(false);
  });

  it.each([
    'role',
    'is_admin',
    'id',
    'email_verified',
    'phone_verified',
    'banned_until',
    'app_id',
    'application_id',
  ])('C-14 never takes %s from a partner', (name) => {
    const { error } = mappingSchema().safeParse({ ...UID, [name]: '#{x}' });
    expect(error?.issues).toMatchObject([{ path: [name], message: 'is never taken from a partner' }]);
  });

  it.each(['password', 'disabled', 'guest', 'blob_id'])(
    'C-14 never takes %s from a partner either',
    (name) => {
      expect(mappingSchema().safeParse({ ...UID, [name]: '#{x}' }).error?.issues[0]?.message).toContain(
        'never taken',
      );
    },
  );

  it.each([
    '{"uid":"#{id}","__proto__":"#{x}"}',
    '{"uid":"#{id}","attributes.__proto__":"#{x}"}',
    '{"uid":"#{id}","attributes.constructor":"#{x}"}',
    '{"uid":"#{id}","toString":"#{x}"}',
    '{"uid":"#{id}","login":"#{__proto__.x}"}',
    '{"uid":"#{id}","login":"#{constructor.prototype.x}"}',
  ])('C-12 refuses %s', (text) => {
    expect(mappingSchema().safeParse(text).success).toBe(false);
    expect(mappingSchema().safeParse(JSON.parse(text)).success).toBe(false);
  });

  it('C-12 stores no value that would change an object', () => {
    const answer = JSON.parse('{"user":{"id":1},"x":{"y":{"__proto__":{"admin":true}}},"z":1}') as unknown;
    expect(userOf({ 'attributes.x': '#{x}', 'attributes.z': '#{z}' }, answer)).toEqual({
      attributes: { z: 1 },
    });
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('names each fault by its field, and repeats no text of the definition', () => {
    const { error } = mappingSchema().safeParse({ uid: '#{a..b}', email: '#{secret words', x: 1 });
    expect(error!.issues.map(({ path }) => path)).toEqual([['uid'], ['email'], ['x']]);
    expect(JSON.stringify(error!.issues)).not.toContain('secret');
  });
});

describe('what does not fit', () => {
  it.each([
    ['email', 'not an address'],
    ['email', 'x'.repeat(250) + '@a.example'],
    ['email', { address: 'a@b.example' }],
    ['phone', 'call me'],
    ['full_name', 'x'.repeat(256)],
    ['full_name', ''],
    ['full_name', 'a\nb'],
    ['full_name', true],
    ['full_name', 1.5],
    ['login', ' ada'],
    ['login', 'ﷺ'.repeat(20)],
    ['website', 'javascript:alert(1)'],
    ['website', `https://a.example/${'x'.repeat(2048)}`],
    ['avatar_url', 'http://img.example/a.png'],
    ['locale', '!!'],
    ['locale', 7],
    ['timezone', 'Mars/Base'],
    ['country', 'Germany'],
    ['tags', Array.from({ length: 51 }, (_, i) => `t${i}`)],
    ['tags', [{}]],
    ['tags', ['x'.repeat(65)]],
    ['custom_data', 'x'.repeat(5001)],
    ['custom_data', { x: 'x'.repeat(5000) }],
    ['attributes.a', 'x'.repeat(4096)],
    ['attributes.a', 'half a character \ud800'],
    ['continuity', ['x']],
  ])('is left out of %s where it is optional, and turns away where it is required (%#)', (name, value) => {
    const answer = { ...PERSON, x: value };
    expect(apply({ ...UID, [name]: '#{x}' }, answer)).toEqual({ subject: '7', profile: {} });
    const error = errorOf({ ...UID, [name]: { template: '#{x}', required: true } }, answer);
    expect(error.code).toBe('identity_provider_misconfigured');
    expect(told({ ...UID, [name]: '#{x}' }, answer)[1]).toMatchObject({
      target: name,
      template: '#{x}',
      value,
      verdict: 'refused',
    });
  });

  it.each([
    [{ type: 'string' }, 7],
    [{ type: 'number' }, '7'],
    [{ type: 'boolean' }, 'true'],
    [{ type: 'list' }, 'a,b'],
    [{ max_length: 2 }, 'abc'],
    [{ max_length: 2 }, [1, 2, 3]],
  ])('is what the rules %j do not allow: %j', (rules, x) => {
    const mapping = { ...UID, 'attributes.a': { template: '#{x}', ...rules } };
    expect(apply(mapping, { ...PERSON, x }).user).toBeUndefined();
  });

  it.each([
    [{ type: 'string' }, '7'],
    [{ type: 'number' }, 7],
    [{ type: 'number' }, '9007199254740993'],
    [{ type: 'boolean' }, false],
    [{ type: 'list' }, ['a']],
    [{ max_length: 2 }, 'ab'],
  ])('is not what the rules %j allow: %j', (rules, x) => {
    const mapping = { ...UID, 'attributes.a': { template: '#{x}', ...rules } };
    expect(apply(mapping, { ...PERSON, x }).user).toEqual({ attributes: { a: x } });
  });

  it('turns away where it is missing and required', () => {
    const error = errorOf({ ...UID, email: { template: '#{x}', required: true } }, PERSON);
    expect(error).toMatchObject({ code: 'identity_provider_misconfigured' });
    expect((error.cause as Error).message).toContain('"email"');
  });

  it('is whatever attributes no longer have room for', () => {
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => [`attributes.${name}`, '#{x}']);
    const user = userOf(Object.fromEntries(names) as object, { ...PERSON, x: 'x'.repeat(4000) });
    expect(Object.keys(user!.attributes!)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('the subject', () => {
  it.each([{}, { user: {} }, { user: 'Ada' }, { User: { id: 7 } }, [], 7, 'text'])(
    'that the path does not lead to in %j is the mapping’s fault, which is told',
    (answer) => {
      const error = errorOf(UID, answer);
      expect(error.code).toBe('identity_provider_misconfigured');
      expect((error.cause as Error).message).toContain('"uid"');
      expect(told(UID, answer)).toMatchObject([
        { target: 'uid', template: '#{user.id}', verdict: 'absent', type: null },
      ]);
    },
  );

  it.each(['', 0, false, true, null, {}, [], -1, 1.5, 'null', 'undefined', 2 ** 53])(
    'A-14 %j is nobody',
    (id) => {
      expect(errorOf(UID, { user: { id } }).code).toBe('invalid_credentials');
      expect(errorOf({ uid: 'partner-#{user.id}' }, { user: { id } }).code).toBe('invalid_credentials');
      expect(told(UID, { user: { id } })).toMatchObject([{ verdict: 'refused' }]);
    },
  );

  it.each([
    ['#{user.id}', { user: null }],
    ['#{users.0.id}', { users: [] }],
  ])('%s of %j is nobody', (uid, answer) => {
    expect(errorOf({ uid }, answer).code).toBe('invalid_credentials');
  });

  it('is joined of parts that each name somebody', () => {
    expect(apply({ uid: '#{tenant}:#{id}' }, { tenant: 'acme', id: '9007199254740993' }).subject).toBe(
      'acme:9007199254740993',
    );
    expect(errorOf({ uid: '#{tenant}:#{id}' }, { tenant: 'acme', id: '' }).code).toBe('invalid_credentials');
    expect(errorOf({ uid: '#{tenant}:#{id}' }, { tenant: 'acme' }).code).toBe(
      'identity_provider_misconfigured',
    );
  });
});

describe('a mapping and any answer', () => {
  const mapping = compiled({
    uid: '#{a.id}',
    email: '#{a.email}',
    full_name: 'x #{a.name}',
    tags: '#{a.tags}',
    custom_data: '#{a}',
    'attributes.a': '#{a}',
    'attributes.b': '#{b.0}',
  });
  const answers = fc.oneof(
    fc.jsonValue(),
    fc.record({
      a: fc.record({ id: fc.jsonValue(), email: fc.jsonValue(), name: fc.string(), tags: fc.jsonValue() }),
    }),
    fc.record({ a: fc.record({ id: fc.string({ minLength: 1 }) }), b: fc.array(fc.jsonValue()) }),
  );

  it('C-11 make a person or a BrokerError, within bounds', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        try {
          const { subject, user } = applyMapping(mapping, answer);
          expect(subject.length).toBeLessThanOrEqual(255);
          expect((user?.customData ?? '').length).toBeLessThanOrEqual(5000);
          expect((user?.tags ?? []).length).toBeLessThanOrEqual(50);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
        }
      }),
    );
  });

  it('C-22 never put a value into an error', () => {
    const secret = 'somebody-elses-token';
    for (const answer of [{ user: { id: { secret } } }, { user: secret }, { user: { id: ` ${secret}` } }]) {
      expect(inspect(errorOf(UID, answer), { depth: 12, showHidden: true })).not.toContain(secret);
    }
  });
});
