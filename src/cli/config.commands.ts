import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/config.loader.js';
import { list, plain, type Output } from './output.js';

export function addConfigCommands(program: Command, output: Output): void {
  const config = program.command('config').description('the configuration of this installation');

  config
    .command('check')
    .description('name every fault, or print what is in force with secrets left out')
    .action(() => {
      output.result(redacted(loadConfig()), (document) =>
        list(
          Object.entries(document).flatMap(([section, value]): [string, unknown][] =>
            typeof value === 'object'
              ? Object.entries(value).map(([key, inner]) => [`${section}.${key}`, plain(inner)])
              : [[section, value]],
          ),
        ),
      );
    });
}

function redacted(config: Config) {
  const { masterKeys } = config.secrets;
  return {
    ...config,
    database: { ...config.database, location: withoutPassword(config.database.location) },
    secrets: {
      ...config.secrets,
      masterKeys: masterKeys === null ? 'in keyFile' : `${masterKeys.length} given`,
    },
  };
}

function withoutPassword(location: string): string {
  return URL.canParse(location) ? location.replace(/\/\/[^@/]*@/, '//[redacted]@') : location;
}
