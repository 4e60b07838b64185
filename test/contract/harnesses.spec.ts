import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Global, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.loader.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { VerifierKinds } from '../../src/identity/verifier-kinds.js';
import { createLogger, Logger } from '../../src/observability/logger.js';

const SRC = join(import.meta.dirname, '../../src');

/** The rooms that may hold verifiers; the dependency rules keep them out of all others. */
const ROOMS = ['social-auth', 'custom-idp'];

/** A verifier that nobody holds to the promises of the contract would be the one that breaks them. */
describe('the harnesses of the verifier contract', () => {
  it('are there for each kind of identity provider, and for no other', async () => {
    const kinds = await registeredKinds();
    expect(kinds).not.toEqual([]);
    expect(kindsWithHarness()).toEqual(kinds);
  });
});

/** The kinds that the product has once its modules are put together. */
async function registeredKinds(): Promise<string[]> {
  const config = loadConfig({ LOG_LEVEL: 'silent' });

  /** The ground that every room stands on without importing it; no database. */
  @Global()
  @Module({
    imports: [ConfigModule.of(config), ...(await modulesOfVerifiers())],
    providers: [{ provide: Logger, useValue: createLogger(config.log) }],
    exports: [Logger],
  })
  class EveryVerifierModule {}

  const context = await NestFactory.createApplicationContext(EveryVerifierModule, {
    logger: false,
    abortOnError: false,
  });
  try {
    return context
      .get(VerifierKinds, { strict: false })
      .all()
      .map(({ kind }) => kind)
      .sort();
  } finally {
    await context.close();
  }
}

async function modulesOfVerifiers(): Promise<Type[]> {
  const files = ROOMS.map((room) => join(SRC, room))
    .filter((room) => existsSync(room))
    .flatMap((room) =>
      readdirSync(room, { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
    )
    .filter((file) => file.endsWith('.module.ts'));
  const modules: Type[] = [];
  // One after the other: Jest links what two of them import at once with one that it has not read yet.
  for (const file of files) modules.push(...Object.values((await import(file)) as Record<string, Type>));
  return modules;
}

/** By name and by content: `test/contract/<kind>.spec.ts` calls the suite for its kind. */
function kindsWithHarness(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.spec.ts'))
    .filter((file) => {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8');
      const called = [...text.matchAll(/^\s*describeIdentityVerifier\(\s*'([^']+)'/gm)].map(
        ([, kind]) => kind,
      );
      return called.includes(file.replace(/\.spec\.ts$/, ''));
    })
    .map((file) => file.replace(/\.spec\.ts$/, ''))
    .sort();
}
