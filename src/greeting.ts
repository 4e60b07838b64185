import { isProduction } from './config/config.loader.js';

/** Tells a person at a terminal, and nobody in production, what to do next. */
export function greet(url: string): void {
  if (isProduction()) return;
  process.stderr.write(`
  Ostiary is at ${url}

  Next   npm run --silent ostiary -- apps create --name Demo
  Docs   ${url}/docs

`);
}
