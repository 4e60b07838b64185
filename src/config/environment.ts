import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';

export type Environment = Readonly<Record<string, string | undefined>>;
type Tree = Record<string, unknown>;

const asText = (value: string): unknown => value;
const asYaml = (value: string): unknown => parseYaml(value) as unknown;
const asList = (value: string): unknown =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

interface Setting {
  readonly path: readonly string[];
  readonly read: (value: string) => unknown;
}

/** The names of the operating contract and the setting each one overrides. */
const NAMED: Record<string, Setting> = {
  DATA_DIR: { path: ['data_dir'], read: asText },
  MASTER_KEY: { path: ['master_key'], read: asText },
  WORKERS: { path: ['workers'], read: asYaml },
  HOST: { path: ['server', 'host'], read: asText },
  PORT: { path: ['server', 'port'], read: asYaml },
  PUBLIC_URL: { path: ['server', 'public_url'], read: asText },
  TRUSTED_PROXIES: { path: ['server', 'trusted_proxies'], read: asList },
  DATABASE_URL: { path: ['database', 'url'], read: asText },
  OUTBOUND_ALLOW: { path: ['outbound', 'allow'], read: asList },
  LOG_LEVEL: { path: ['log', 'level'], read: asText },
};

/** Secrets that may lie in a file instead (Docker and Kubernetes mount them so). */
const FROM_FILE = ['MASTER_KEY', 'DATABASE_URL'];

/** Every name that is read beside `OSTIARY_…`. The README lists them; a test compares the two. */
export const environmentNames: readonly string[] = [
  ...Object.keys(NAMED),
  ...FROM_FILE.map((name) => `${name}_FILE`),
];

const PREFIX = 'OSTIARY_';

/**
 * What the environment says, as a tree to lay over the files.
 * `faults` lists variables that cannot be read; an empty variable counts as not set.
 */
export function readEnvironment(env: Environment): { tree: Tree; faults: string[] } {
  const tree: Tree = {};
  const faults: string[] = [];
  for (const name of FROM_FILE) {
    const file = env[`${name}_FILE`];
    if (!file) continue;
    try {
      assign(tree, NAMED[name]!.path, readFileSync(file, 'utf8').trim());
    } catch {
      faults.push(`${name}_FILE: the file cannot be read`);
    }
  }
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    const setting = NAMED[name] ?? settingOf(name);
    if (!setting) continue;
    const { path, read } = setting;
    let parsed: unknown;
    try {
      parsed = read(value);
    } catch {
      faults.push(`${path.join('.')}: ${name} is not YAML`);
      continue;
    }
    assign(tree, path, parsed);
  }
  return { tree, faults };
}

function settingOf(name: string): Setting | null {
  if (!name.startsWith(PREFIX)) return null;
  return { path: name.slice(PREFIX.length).toLowerCase().split('__'), read: asYaml };
}

function assign(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const key of path.slice(0, -1)) node = (node[key] ??= {}) as Tree;
  node[path.at(-1)!] = value;
}
