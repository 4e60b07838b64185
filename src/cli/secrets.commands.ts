import type { Command } from 'commander';
import { SecretRotation } from '../secrets/secret-rotation.js';
import { withInstallation } from './installation.js';
import { list, type Output } from './output.js';

export function addSecretsCommands(program: Command, output: Output): void {
  const secrets = program.command('secrets').description('the master key and what is encrypted under it');

  secrets
    .command('rotate')
    .description('put every stored secret under a new master key, beside a running server')
    .action(async () => {
      const report = await withInstallation((app) =>
        app.get(SecretRotation).rotate((done) => output.progress(`${done} secrets seen`)),
      );
      output.progressDone();
      output.result(report, (document) => list(Object.entries(document)));
    });
}
