import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { ostiary, ostiaryJson, REPOSITORY } from '../support/server-process.js';

interface Shown {
  slug: string;
  enabled: boolean;
  version: number;
  options: Record<string, unknown>;
  policies: Record<string, unknown>;
  warnings: string[];
}

const SECRET = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
const DEFINITION = `
kind: facebook
slug: facebook
options:
  apps:
    1234567890123456789: { app_secret: ${SECRET} }
`;

describe('the commands for identity providers', () => {
  let database: TestDatabase;
  let app: string[];

  beforeAll(async () => {
    database = await createDatabase('sqlite');
    const { application_id } = await ostiaryJson<{ application_id: number }>(
      database.env,
      'apps',
      'create',
      '--name',
      'Demo',
    );
    app = ['--app', String(application_id)];
  });
  afterAll(() => database.remove());

  const file = (name: string, text: string): string => {
    const path = join(database.dataDir, name);
    writeFileSync(path, text);
    return path;
  };
  const one = () => [...app, '--provider', 'facebook'];

  it('make a provider of a YAML file, digits of long ids and all, and never print its secret', async () => {
    const path = file('facebook.yaml', DEFINITION);
    const made = await ostiary(database.env, 'providers', 'create', ...app, '--file', path, '--json');
    expect(made.code).toBe(0);
    expect(made.stdout).not.toContain(SECRET);
    const shown = await ostiaryJson<Shown>(database.env, 'providers', 'show', ...one());
    expect(JSON.parse(made.stdout)).toEqual(shown);
    expect(shown.options).toEqual({
      apps: { '1234567890123456789': { app_secret: { fingerprint: expect.any(String) } } },
    });
    const { stdout } = await ostiary(database.env, 'providers', 'list', ...app);
    expect(stdout).toMatch(/facebook +facebook +on +1 +0/);
  });

  it('change it, switch it off and on, and keep the secret that was left out', async () => {
    const changed = DEFINITION.replace(/\{ app_secret.*/, '{}').concat('policies: { create_users: false }\n');
    const path = file('changed.yaml', changed);
    const shown = await ostiaryJson<Shown>(database.env, 'providers', 'set', ...one(), '--file', path);
    expect(shown).toMatchObject({ version: 2, policies: { create_users: false } });
    const disabled = await ostiaryJson<Shown>(database.env, 'providers', 'disable', ...one());
    expect(disabled.enabled).toBe(false);
    expect((await ostiaryJson<Shown>(database.env, 'providers', 'enable', ...one())).enabled).toBe(true);
  });

  it('say what is unusual', async () => {
    const proxied = DEFINITION.replace('options:', 'options:\n  graph_url: https://8.8.8.8');
    const path = file('proxied.yaml', proxied);
    const { code, stderr } = await ostiary(database.env, 'providers', 'set', ...one(), '--file', path);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: graph_url');
  });

  it('list, compare and go back to its versions', async () => {
    const path = file('again.yaml', DEFINITION);
    await ostiary(database.env, 'providers', 'set', ...one(), '--file', path);
    const { version } = await ostiaryJson<Shown>(database.env, 'providers', 'show', ...one());
    const { items } = await ostiaryJson<{ items: Record<string, unknown>[] }>(
      database.env,
      'providers',
      'versions',
      ...one(),
    );
    expect(items[0]).toMatchObject({ version, present: true, act: 'changed', actor_kind: 'command_line' });
    const listed = await ostiary(database.env, 'providers', 'versions', ...one());
    expect(listed.stdout).toMatch(
      new RegExp(`^${version} \\* .* command_line .* changed +/options/graph_url`, 'm'),
    );
    const two = ['--from', String(version - 1), '--to', String(version)];
    const compared = await ostiary(database.env, 'providers', 'compare', ...one(), ...two);
    expect(compared.stdout).toMatch(/path +before +after\n.*\n\/options\/graph_url +"https:\/\/8\.8\.8\.8"/);
    // No colours where nobody looks.
    expect(compared.stdout).not.toContain('\u001b');
    expect(await ostiaryJson(database.env, 'providers', 'compare', ...one(), ...two)).toMatchObject({
      items: [{ path: '/options/graph_url', from: 'https://8.8.8.8' }],
    });
    const back = ['--to', String(version - 1)];
    const rolled = await ostiary(database.env, 'providers', 'rollback', ...one(), ...back, '--json');
    expect(JSON.parse(rolled.stdout)).toMatchObject({
      version: version + 1,
      options: { graph_url: 'https://8.8.8.8' },
    });
    expect(rolled.stderr).toContain('warning: graph_url');
    expect(listed.stdout + compared.stdout + rolled.stdout).not.toContain(SECRET);
    for (const words of [
      ['rollback', '--to', '999'],
      ['compare', '--from', '1', '--to', '999'],
    ]) {
      const refused = await ostiary(database.env, 'providers', words[0]!, ...one(), ...words.slice(1));
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('"providers versions"');
    }
    const typo = await ostiary(database.env, 'providers', 'rollback', ...one(), '--to', 'x');
    expect(typo.stderr).toContain('--to takes the number of a version');
  });

  it('refuse addresses of the own network, and say what to do where they are meant', async () => {
    const inward = file(
      'inward.yaml',
      DEFINITION.replace('options:', 'options:\n  graph_url: https://10.0.0.1'),
    );
    const refused = await ostiary(database.env, 'providers', 'set', ...one(), '--file', inward);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(
      /\/options\/graph_url: leads to an address that is not public.*OUTBOUND_ALLOW/,
    );
    const allowed = { ...database.env, OUTBOUND_ALLOW: '10.0.0.0/8' };
    const taken = await ostiary(allowed, 'providers', 'set', ...one(), '--file', inward);
    expect(taken.code).toBe(0);
  });

  it('read standard input', async () => {
    const child = spawn(
      process.execPath,
      ['dist/cli.js', 'providers', 'set', ...one(), '--file', '-', '--json'],
      {
        cwd: REPOSITORY,
        env: { PATH: process.env['PATH'], ...database.env },
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    child.stdin.end(JSON.stringify({ options: { apps: { '7654321': { app_secret: SECRET } } } }));
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    expect(Object.keys((JSON.parse(stdout) as Shown).options['apps'] as object)).toEqual(['7654321']);
  });

  it.each([
    ['a file that is not there', () => '/nonexistent.yaml', /cannot be read/],
    ['what is not YAML', () => file('broken.yaml', 'kind: [facebook'), /is not YAML or JSON \(at line/],
    [
      'an unknown kind',
      () => file('kind.yaml', DEFINITION.replace('kind: facebook', 'kind: myspace')),
      /\/kind: must be one of/,
    ],
    [
      'a missing option',
      () => file('none.yaml', 'kind: facebook\nslug: other\noptions: {}\n'),
      /\/options\/apps/,
    ],
    [
      'ids in a list',
      () => file('list.yaml', 'kind: facebook\nslug: other\noptions: { apps: ["1234567"] }\n'),
      /\/options\/apps/,
    ],
    ['a slug that is taken', () => file('taken.yaml', DEFINITION), /with this slug already/],
  ])('refuse %s in a sentence, and change nothing', async (_, path, sentence) => {
    const before = await ostiaryJson(database.env, 'providers', 'list', ...app);
    const refused = await ostiary(database.env, 'providers', 'create', ...app, '--file', path());
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(sentence);
    expect(refused.stdout + refused.stderr).not.toContain(SECRET);
    expect(refused.stderr).not.toContain('    at ');
    expect(await ostiaryJson(database.env, 'providers', 'list', ...app)).toEqual(before);
  });

  it('remove it, and say when there is nothing to remove', async () => {
    await ostiaryJson(database.env, 'providers', 'delete', ...one());
    expect(await ostiaryJson(database.env, 'providers', 'list', ...app)).toEqual({ items: [] });
    const again = await ostiary(database.env, 'providers', 'delete', ...one());
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain('"providers list"');
  });
});
