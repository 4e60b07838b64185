import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { parse as parseYaml } from 'yaml';
import { applicationSettingsSchema, settingWarnings } from '../../src/applications/application-settings.js';
import { auditActs } from '../../src/audit/audit-acts.js';
import { auditEntrySchema } from '../../src/audit/audit-document.js';
import { plain } from '../../src/cli/output.js';
import { buildProgram } from '../../src/cli/program.js';
import { environmentNames } from '../../src/config/environment.js';
import { errorCatalog } from '../../src/errors/error-catalog.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { REPOSITORY } from '../support/server-process.js';
import { TestApp } from '../support/test-app.js';
import { expectSameEntries, quoted, readmeSection, tableRows } from './readme.js';

describe('the README', () => {
  it('lists every error code with its status', () => {
    const rows = tableRows(readmeSection('Errors'), 'code', 'status', 'meaning', 'what to do');
    expectSameEntries(
      rows.map(([code, status]) => `${quoted(code!)} ${status}`),
      Object.entries(errorCatalog).map(([code, { status }]) => `${code} ${status}`),
      { what: 'error', section: 'Errors' },
    );
  });

  it('says of every error what it means and what to do', () => {
    const rows = tableRows(readmeSection('Errors'), 'code', 'status', 'meaning', 'what to do');
    const silent = rows.filter(([, , meaning, next]) => !meaning || !next).map(([code]) => code);
    expect(silent).toEqual([]);
  });

  it('lists every application setting with its default', () => {
    const rows = tableRows(readmeSection('Application settings'), 'name', 'default', 'values', 'meaning');
    expectSameEntries(
      rows.map(([name, value]) => `${quoted(name!)} ${quoted(value!)}`),
      Object.entries(applicationSettingsSchema.parse({})).map(([name, value]) => `${name} ${plain(value)}`),
      { what: 'setting with this default', section: 'Application settings' },
    );
  });

  it('marks the settings that nothing reads yet, and only those', () => {
    const rows = tableRows(readmeSection('Application settings'), 'name', 'default', 'values', 'meaning');
    const marked = rows.filter(([, , , meaning]) => meaning?.includes('Stored, not read yet.'));
    const unread = Object.entries(applicationSettingsSchema.parse({}))
      .filter(([name, value]) => settingWarnings({ [name]: value }).length > 0)
      .map(([name]) => name);
    expectSameEntries(
      marked.map(([name]) => quoted(name!)),
      unread,
      { what: 'setting that is "Stored, not read yet."', section: 'Application settings' },
    );
  });

  it('lists every command with its options', () => {
    const rows = tableRows(readmeSection('Command line'), 'command', 'does');
    expectSameEntries(
      rows.map(([command]) => withoutValues(quoted(command!))),
      commandsOf(buildProgram().program).map(({ path, options }) => [...path, ...options].join(' ')),
      { what: 'command with these options', section: 'Command line' },
    );
  });

  it('lists every act of the audit log, and says when each is entered', () => {
    const rows = tableRows(readmeSection('Audit log'), 'act', 'when');
    expectSameEntries(
      rows.filter(([, when]) => when).map(([act]) => quoted(act!)),
      auditActs,
      { what: 'act', section: 'Audit log' },
    );
  });

  it('lists every field of an entry of the audit log', () => {
    const rows = tableRows(readmeSection('Audit log'), 'field', 'holds');
    expectSameEntries(
      rows.flatMap(([field]) => [...field!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)),
      auditEntrySchema.keyof().options,
      { what: 'field', section: 'Audit log' },
    );
  });

  it('lists every name of the environment', () => {
    const rows = tableRows(readmeSection('Configuration'), 'environment', 'setting', 'default');
    expectSameEntries(
      rows.map(([name]) => quoted(name!)),
      environmentNames,
      { what: 'environment name', section: 'Configuration' },
    );
  });

  it('lists every throttling setting with its default', () => {
    const { throttle } = parseYaml(readFileSync(join(REPOSITORY, 'config', 'default.yaml'), 'utf8')) as {
      throttle: Record<string, number>;
    };
    const rows = tableRows(readmeSection('Throttling'), 'what is counted', 'limit', 'window, seconds');
    const stated = rows.flatMap((cells) =>
      cells.flatMap((cell) =>
        [...cell.matchAll(/`(\w+)` (\d+)/g)].map(([, name, value]) => `${name} ${value}`),
      ),
    );
    expectSameEntries(
      stated,
      Object.entries(throttle).map(([name, value]) => `${name} ${value}`),
      { what: 'throttle setting with this default', section: 'Throttling' },
    );
  });
});

describe('the README beside a running server', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await TestApp.start('sqlite');
  });
  afterAll(() => server.stop());

  it('lists every metric of ours', async () => {
    const { text } = await server.api.get('/metrics');
    const rows = tableRows(readmeSection('Running it'), 'name', 'labels', 'counts');
    expectSameEntries(
      rows.map(([name]) => quoted(name!)),
      [...text.matchAll(/^# TYPE (ostiary_\w+) /gm)].map(([, name]) => name!),
      { what: 'metric', section: 'Running it' },
    );
  });

  it('lists every job with its interval', () => {
    const rows = tableRows(readmeSection('Jobs'), 'name', 'every', 'what it removes');
    expectSameEntries(
      rows.map(([name, every]) => `${quoted(name!)} ${every}`),
      server.app
        .get(JobRegistry, { strict: false })
        .list()
        .map(({ name, everySeconds }) => `${name} ${everySeconds} s`),
      { what: 'job with this interval', section: 'Jobs' },
    );
  });

  it('lists every route of the API', async () => {
    const { body } = await server.api.get<{ paths: Record<string, object> }>('/openapi.json');
    const rows = ['Routes', 'Admin API'].flatMap((section) =>
      tableRows(readmeSection(section), 'method', 'path', 'who', 'answer'),
    );
    expectSameEntries(
      rows
        .map(([method, path]) => `${method} ${quoted(path!)}`)
        .filter((route) => / \/((admin\/)?v1|chat|oauth)\//.test(route)),
      Object.entries(body.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      ),
      { what: 'route', section: 'Routes' },
    );
  });

  it('lists routes beside the API that answer', async () => {
    const rows = tableRows(readmeSection('Routes'), 'method', 'path', 'who', 'answer');
    const others = rows.map(([, path]) => quoted(path!)).filter((path) => !/^\/(v1|chat|oauth)\//.test(path));
    const answers = await Promise.all(
      others.map(async (path) => [path, (await server.api.get(path)).status] as const),
    );
    expect(answers).toEqual(others.map((path) => [path, 200]));
  });
});

interface DocumentedCommand {
  readonly path: readonly string[];
  readonly options: readonly string[];
}

/** The commands that do something, with the options that are theirs alone. */
function commandsOf(command: Command, above: readonly string[] = []): DocumentedCommand[] {
  return command.commands.flatMap((inner) => {
    const path = [...above, inner.name()];
    if (inner.commands.length > 0) return commandsOf(inner, path);
    const options = inner.options.map(({ long }) => long!).filter((long) => long !== '--json');
    return [{ path, options }];
  });
}

/** `apps set --app A key=value …` and the like, without brackets and values. */
function withoutValues(command: string): string {
  const words = command.replace(/[[\]]/g, '').split(' ');
  return words.filter((word) => /^(--)?[a-z][a-z-]*$/.test(word)).join(' ');
}
