import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Programs that tests run beside the server: too large to come with the product's own packages. */
export const PEERS = join(import.meta.dirname, '..', 'peers');
const INSTALL_MILLISECONDS = 600_000;

/** Makes `test/peers/node_modules` what its lock file says. */
export function installPeersWhereStale(): void {
  const stamp = join(PEERS, 'node_modules', '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(PEERS, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('Installing what the tests run beside the server (test/peers, once) …\n');
  const { status, stdout, stderr } = spawnSync('npm', ['ci', '--ignore-scripts'], {
    cwd: PEERS,
    encoding: 'utf8',
    timeout: INSTALL_MILLISECONDS,
  });
  if (status !== 0) throw new Error(`npm ci in test/peers failed:\n${stdout}${stderr}`);
  writeFileSync(stamp, wanted);
}
