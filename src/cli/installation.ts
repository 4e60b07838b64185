import { userInfo } from 'node:os';
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config/config.loader.js';
import { createLogger } from '../observability/logger.js';
import { NestLogger } from '../observability/nest-logger.js';
import { runAs } from '../observability/request-context.js';

const MAX_NAME = 255;

/**
 * Opens the installation as the server does (it migrates and makes the key where that was not done yet), hands it to
 * `work`, and closes it. Logs go to stderr. What is done is done by whoever is at the keyboard.
 */
export async function withInstallation<T>(work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const logger = createLogger(config.log, process.stderr);
  const app = await NestFactory.createApplicationContext(AppModule.of(config, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  try {
    return await runAs({ kind: 'command_line', id: systemUser() }, () => work(app));
  } finally {
    await app.close();
  }
}

/** The operating system's name of this user, or the number where it has no name for it, as in some containers. */
function systemUser(): string {
  try {
    return userInfo().username.slice(0, MAX_NAME);
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
