import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SamplePartner } from '../support/sample-partner.js';
import { REPOSITORY, ServerProcess } from '../support/server-process.js';
import { codeBlocks, readmeSection } from './readme.js';

const START_MILLISECONDS = 20_000;
const TOUR_MILLISECONDS = 60_000;

/** Printed between two blocks, so that what each one says can be told apart. */
const BETWEEN = '=== next block ===';

/** The block that people look at. */
const PICTURE = 10;

interface Printed {
  readonly session?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly [name: string]: unknown;
}

describe('the tour of the README, typed as printed', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ostiary-tour-'));
  let server: ServerProcess;
  let partner: SamplePartner;
  /** What each block printed: its lines, parsed. */
  let printed: unknown[][];

  beforeAll(async () => {
    // As the text says: in terminals of their own.
    server = await ServerProcess.start({ DATA_DIR: dataDir, OUTBOUND_ALLOW: '127.0.0.1' });
    partner = await SamplePartner.start();
    const { PATH = '', HOME = '' } = process.env;
    const blocks = codeBlocks(readmeSection('Five-minute tour'), 'sh');
    printed = runInOneShell(blocks.map(besideOtherPartners), {
      PATH,
      HOME,
      DATA_DIR: dataDir,
      BASE: server.url,
    });
  }, START_MILLISECONDS + TOUR_MILLISECONDS);
  afterAll(async () => {
    await server?.end();
    await partner?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** The definition, for a partner at the port it got: somebody may be on the tour on this machine. */
  const besideOtherPartners = (block: string): string => {
    const file = 'examples/partner/provider.yaml';
    const copy = join(dataDir, 'provider.yaml');
    const text = readFileSync(join(REPOSITORY, file), 'utf8');
    expect(text).toContain('http://127.0.0.1:8090/');
    writeFileSync(copy, text.replace('http://127.0.0.1:8090', partner.url));
    return block.replace(file, copy);
  };

  const line = (block: number, at = 0) => printed[block]![at] as Printed;

  it('prints nothing while it defines what it uses', () => {
    expect(printed[0]).toEqual([]);
  });

  it('creates an application and prints its keys', () => {
    expect(line(1)).toMatchObject({
      application_id: 1,
      name: 'Demo',
      auth_key: expect.stringMatching(/^ak_/),
      auth_secret: expect.stringMatching(/^as_/),
      settings: { session_idle_seconds: 7200 },
    });
  });

  it('begins a session of the application', () => {
    expect(line(2)).toEqual({
      session: {
        id: 1,
        token: expect.stringMatching(/^osta_/),
        kind: 'application',
        application_id: 1,
        user_id: null,
        provider: null,
        created_at: expect.any(String),
        expires_at: expect.any(String),
      },
    });
  });

  it('signs a user up', () => {
    expect(line(3)).toMatchObject({ user: { id: 1, application_id: 1, login: 'alice', guest: false } });
  });

  it('signs the user in on the same session, with another token', () => {
    expect(line(4)).toMatchObject({
      session: { id: 1, kind: 'user', user_id: 1, provider: 'password' },
      user: { id: 1, login: 'alice' },
    });
    expect(line(4).session!['token']).not.toBe(line(2).session!['token']);
  });

  it('says who is signed in', () => {
    expect(line(5)).toMatchObject({ user: { id: 1, application_id: 1, login: 'alice' } });
  });

  it('goes back to the session of the application, with another token', () => {
    expect(line(6)).toMatchObject({ session: { id: 1, kind: 'application', user_id: null } });
    expect(line(6).session!['token']).not.toBe(line(4).session!['token']);
  });

  it('ends the session and refuses its token from then on', () => {
    expect(printed[7]).toEqual([
      204,
      expect.objectContaining({
        code: 'session_ended',
        status: 401,
        type: 'urn:ostiary:problem:session_ended',
      }),
    ]);
  });

  it('lets a guest in', () => {
    expect(line(8)).toMatchObject({
      session: { id: 2, kind: 'user', user_id: 2, provider: 'guest' },
      user: { id: 2, guest: true },
    });
  });

  it('makes a provider of the sample file', () => {
    expect(line(9)).toMatchObject({ slug: 'partner', kind: 'http', enabled: true });
  });

  it('shows what would happen with a token, as in the picture beside it', () => {
    const pattern = (text: string) =>
      new RegExp(
        text
          .trim()
          .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll('…', '.*')
          .replaceAll('8090', '\\d+')
          .replaceAll(/ {2,}/g, ' +'),
      );
    const [picture] = codeBlocks(readmeSection('Five-minute tour'), 'text');
    const shown = picture!.trim().split('\n');
    expect(shown.length).toBeGreaterThan(5);
    const said = printed[PICTURE]!.join('\n');
    for (const text of shown) expect(said).toMatch(pattern(text));
    expect(said).not.toContain('ada-token-1815');
  });

  it("signs the partner's user in, who has no password", () => {
    expect(line(11)).toMatchObject({
      session: { kind: 'user', provider: 'partner' },
      user: { login: 'ada', full_name: 'Ada Lovelace' },
    });
  });

  it('shows beside each block the answer that it gets, shortened', () => {
    const shown = codeBlocks(readmeSection('Five-minute tour'), 'json').map((block) =>
      block.trim().split('\n').map(containing),
    );
    // The first block prints nothing and has nothing beside it, and one prints a picture.
    expect(printed.filter((_, i) => i !== 0 && i !== PICTURE)).toEqual(shown);
  });

  it('leads to a page that describes every route', async () => {
    const page = await fetch(`${server.url}/docs`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('/v1/session/user');
  });

  it('stops at SIGTERM with exit code 0', async () => {
    expect((await server.end()).code).toBe(0);
  });
});

/** @returns for each block the lines it printed, parsed where they are JSON. */
function runInOneShell(blocks: readonly string[], environment: Record<string, string>): unknown[][] {
  const { status, stdout, stderr } = spawnSync('bash', ['-eu', '-o', 'pipefail'], {
    cwd: REPOSITORY,
    env: environment,
    input: blocks.join(`echo '${BETWEEN}'\n`),
    encoding: 'utf8',
    timeout: TOUR_MILLISECONDS,
  });
  if (status !== 0) throw new Error(`The tour stopped with ${status}:\n${stdout}${stderr}`);
  return stdout.split(`${BETWEEN}\n`).map((text) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((said) => (/^[{[\d]/.test(said) ? (JSON.parse(said) as unknown) : said)),
  );
}

/** A shortened answer (`"token":"osta_…"`, `"settings":{…}`, `"kind":"user",…}`) as what the real one has to contain. */
function containing(shown: string): unknown {
  const toMatcher = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(toMatcher);
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(([name, inner]) => [name, toMatcher(inner)]);
      return expect.objectContaining(Object.fromEntries(members) as object);
    }
    if (typeof value !== 'string' || !value.endsWith('…')) return value;
    return expect.stringMatching(new RegExp(`^${value.slice(0, -1)}`));
  };
  return toMatcher(JSON.parse(shown.replaceAll(',…}', '}').replaceAll('{…}', '{}')));
}
