#!/usr/bin/env node
import 'reflect-metadata';
import { buildProgram } from './cli/program.js';
import { sayWhatStopped } from './start-failure.js';

const { program, output } = buildProgram();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = output.failed(error, sayWhatStopped);
}
