import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config/config.loader.js';
import { createLogger } from '../observability/logger.js';
import { NestLogger } from '../observability/nest-logger.js';

/**
 * Opens the installation as the server does (it migrates and makes the key where that was not done yet), hands it to
 * `work`, and closes it. Logs go to stderr.
 */
export async function withInstallation<T>(work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const logger = createLogger(config.log, process.stderr);
  const app = await NestFactory.createApplicationContext(AppModule.of(config, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
