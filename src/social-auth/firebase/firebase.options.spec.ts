import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { firebaseOptionsSchema } from './firebase.options.js';

const pem = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
const service_account = {
  client_email: 'broker@demo-ostiary.iam.gserviceaccount.com',
  private_key: pem(2048),
};
const project_id = 'demo-ostiary';

describe('the options of a Firebase provider', () => {
  it('need a project only', () => {
    expect(firebaseOptionsSchema.parse({ project_id })).toEqual({
      project_id,
      sign_in_methods: ['phone', 'password', 'google.com'],
      check_revoked: false,
    });
  });

  it.each([
    'phone',
    'password',
    'anonymous',
    'custom',
    'google.com',
    'playgames.google.com',
    'gc.apple.com',
    'saml.acme',
    'oidc.acme-staff',
  ])('take the sign-in method %s', (method) => {
    const parsed = firebaseOptionsSchema.safeParse({ project_id, sign_in_methods: [method] });
    expect(parsed.success).toBe(true);
  });

  it.each([
    ['no project', {}],
    ['an empty project', { project_id: '' }],
    ['a path for a project', { project_id: '../other' }],
    ['a list of projects', { project_id: [project_id] }],
    ['no sign-in method', { project_id, sign_in_methods: [] }],
    ['a pattern for sign-in methods', { project_id, sign_in_methods: ['saml.*'] }],
    ['any sign-in method', { project_id, sign_in_methods: ['*'] }],
    ['an empty tenant', { project_id, tenant_id: '' }],
    ['a path for a tenant', { project_id, tenant_id: 'a/b' }],
    ['revocation without a service account', { project_id, check_revoked: true }],
    [
      'a service account beside an emulator',
      { project_id, service_account, emulator: { host: 'localhost:9099' } },
    ],
    ['a key that is none', { project_id, service_account: { ...service_account, private_key: 'key' } }],
    ['a short key', { project_id, service_account: { ...service_account, private_key: pem(1024) } }],
    ['a URL of an emulator', { project_id, emulator: { host: 'http://localhost:9099' } }],
    ['an emulator with a path', { project_id, emulator: { host: 'localhost:9099/x' } }],
    ['an emulator with user information', { project_id, emulator: { host: 'a@localhost:9099' } }],
    ['an emulator without a port', { project_id, emulator: { host: 'localhost' } }],
    ['an emulator beyond the ports', { project_id, emulator: { host: 'localhost:99999' } }],
    ['an unknown option', { project_id, verify: false }],
  ])('refuse %s', (_name, options) => {
    expect(firebaseOptionsSchema.safeParse(options).success).toBe(false);
  });

  it('repeat no secret when they refuse', () => {
    const private_key = pem(1024);
    const options = { project_id, service_account: { ...service_account, private_key } };
    expect(JSON.stringify(firebaseOptionsSchema.safeParse(options).error)).not.toContain(
      private_key.slice(40, 80),
    );
  });
});
