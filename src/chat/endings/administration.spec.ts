import { describe, expect, it } from '@jest/globals';
import { type BrokerError } from '../../errors/broker-error.js';
import { parseAdministration, shownAdministration } from './administration.js';

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const complete = [
  { kind: 'ejabberd', url: 'http://127.0.0.1:5280', bearer: 'a-token', host: 'chat.local' },
  {
    kind: 'ejabberd',
    url: 'https://chat.example/ejabberd',
    basic: { user: 'admin@chat.local', password: 'pw' },
  },
  { kind: 'prosody', url: 'http://127.0.0.1:5280', secret: 'a-secret', host: 'chat.local' },
  { kind: 'rabbitmq', url: 'http://127.0.0.1:15672', user: 'ostiary', password: 'pw', vhosts: ['/', 'chat'] },
  { kind: 'webhook', url: 'https://chat.example/hooks', secret: WEBHOOK_SECRET },
];

/** The places of the faults. */
function faultsOf(value: unknown): string[] {
  try {
    parseAdministration(value);
    return [];
  } catch (error) {
    return (error as BrokerError).errors!.map(({ pointer }) => pointer);
  }
}

describe('how a chat server is administered', () => {
  it.each(complete)('is taken as $kind', (value) => {
    expect(parseAdministration(value)).toEqual(value);
  });

  it.each<[string, unknown, string]>([
    ['another kind', { kind: 'openfire', url: 'http://a' }, '/administration/kind'],
    ['no object', 'ejabberd', '/administration'],
    ['an unknown field', { ...complete[2], token: 'x' }, '/administration/token'],
    ['two ways to sign in', { ...complete[0], basic: { user: 'a', password: 'b' } }, '/administration/basic'],
    ['no secret', { ...complete[2], secret: '' }, '/administration/secret'],
    ['a line break in a secret', { ...complete[2], secret: 'a\r\nx-other: b' }, '/administration/secret'],
    ['a colon in a user', { ...complete[3], user: 'a:b' }, '/administration/user'],
    ['a line break in a host', { ...complete[2], host: 'a\r\nb' }, '/administration/host'],
    ['a user in the URL', { ...complete[2], url: 'http://u:p@chat.example' }, '/administration/url'],
    ['a query in the URL', { ...complete[2], url: 'http://chat.example/?a=b' }, '/administration/url'],
    ['a file', { ...complete[2], url: 'file:///etc/passwd' }, '/administration/url'],
    ['a short signing secret', { ...complete[4], secret: 'whsec_c2hvcnQ=' }, '/administration/secret'],
    ['no virtual hosts at all', { ...complete[3], vhosts: [] }, '/administration/vhosts'],
  ])('is refused with %s', (_what, value, pointer) => {
    expect(faultsOf(value)).toEqual([pointer]);
  });

  it.each(complete)('is shown as $kind with fingerprints in the place of secrets', (value) => {
    const shown = JSON.stringify(
      shownAdministration(parseAdministration(value), (secret) => `f${secret.length}`),
    );
    for (const secret of ['a-token', '"pw"', 'a-secret', WEBHOOK_SECRET]) expect(shown).not.toContain(secret);
    expect(shown).toContain('{"fingerprint":"f');
    expect(shown).toContain(value.url);
  });
});
