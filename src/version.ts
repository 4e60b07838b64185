import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As `package.json` says, which lies one folder above `src/` and `dist/`. */
export const PRODUCT_VERSION: string = (
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version;
