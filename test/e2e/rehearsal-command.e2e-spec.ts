import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RehearsalDocument } from '../../src/session/rehearsal/rehearsal-document.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { PartnerDouble } from '../support/partner/partner-double.js';
import { ostiary, ostiaryJson, REPOSITORY } from '../support/server-process.js';

const KEY = 'the-operators-own-key';

describe('providers test', () => {
  let database: TestDatabase;
  let partner: PartnerDouble;
  let env: Record<string, string>;
  let one: string[];

  beforeAll(async () => {
    database = await createDatabase('sqlite');
    partner = await PartnerDouble.start();
    env = { ...database.env, OUTBOUND_ALLOW: '127.0.0.1' };
    const { application_id } = await ostiaryJson<{ application_id: number }>(
      env,
      'apps',
      'create',
      '--name',
      'T',
    );
    const path = join(database.dataDir, 'partner.json');
    const options = {
      url: `${partner.url}/nested`,
      headers: { 'X-Api-Key': KEY },
      params: { token: '#{token}' },
      mapping: { uid: '#{user.id}', login: '#{user.login}', website: '#{user.site}' },
    };
    writeFileSync(path, JSON.stringify({ kind: 'http', slug: 'partner', options }));
    const app = ['--app', String(application_id)];
    await ostiaryJson(env, 'providers', 'create', ...app, '--file', path);
    one = [...app, '--provider', 'partner'];
  }, 60_000);
  afterAll(async () => {
    await partner.goDown();
    await database.remove();
  });

  const test = (credential: object, ...more: string[]) =>
    ostiary(env, 'providers', 'test', ...one, '--credential', JSON.stringify(credential), ...more);

  it('shows people what happened and ends with 0 where somebody would get in', async () => {
    const token = partner.tokenOf('ada');
    const { code, stdout, stderr } = await test({ token });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`identity: POST ${partner.url}/nested`);
    expect(stdout).toMatch(/✓ {2}uid .*#\{user\.id\}/);
    expect(stdout).toMatch(/– {2}website/);
    expect(stdout).toMatch(/total .* ms/);
    expect(stdout).toContain('a new user, without a password');
    expect(stdout.trimEnd()).toMatch(/✓ A sign-in would succeed \(in \d+ ms; nothing was written\)\.$/);
    expect(stdout).not.toContain(token);
    expect(stdout).not.toContain(KEY);
  });

  it('ends with 1 where nobody would, so that a script can watch a mapping', async () => {
    const { code, stdout } = await test({ token: 'nobody-has-this-token' });
    expect(code).toBe(1);
    expect(stdout).toContain('✗ A sign-in would be refused with 401 invalid_credentials');
  });

  it('prints one document with --json, refused or not', async () => {
    const refused = await test({ token: 'nobody-has-this-token' }, '--json');
    expect([refused.code, (JSON.parse(refused.stdout) as RehearsalDocument).verdict]).toEqual([1, 'refused']);
    const accepted = await test({ token: partner.tokenOf('ada') }, '--json');
    expect([accepted.code, (JSON.parse(accepted.stdout) as RehearsalDocument).verdict]).toEqual([
      0,
      'accepted',
    ]);
  });

  it('reads the credential from standard input, where nobody else on the machine sees it', async () => {
    const child = spawn(process.execPath, ['dist/cli.js', 'providers', 'test', ...one, '--json'], {
      cwd: REPOSITORY,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.end(JSON.stringify({ token: partner.tokenOf('ada') }));
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, (JSON.parse(stdout) as RehearsalDocument).verdict]).toEqual([0, 'accepted']);
  });

  it.each([
    ['not JSON', 'token', /JSON object/],
    ['a list', '[]', /JSON object/],
    ['a field that the provider does not take', '{"tokn":"x"}', /\/credential/],
  ])('says in a sentence what is wrong with %s', async (_, credential, sentence) => {
    const { code, stdout, stderr } = await ostiary(
      env,
      ...['providers', 'test', ...one, '--credential', credential],
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('    at ');
  });
});
