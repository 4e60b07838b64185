import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const BUILD_MILLISECONDS = 180_000;

/** Makes `dist/` what the sources say. Tests of processes and of the README run from it. */
export function buildWhereStale(): void {
  const built = join(REPOSITORY, 'dist', 'main.js');
  const sources = readdirSync(join(REPOSITORY, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => statSync(join(REPOSITORY, 'src', file)).mtimeMs);
  if (existsSync(built) && statSync(built).mtimeMs >= Math.max(...sources)) return;
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    timeout: BUILD_MILLISECONDS,
  });
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}${stderr}`);
}
