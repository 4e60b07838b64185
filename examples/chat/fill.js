#!/usr/bin/env node
// Fills a template in from the environment:  node fill.js nginx.conf.template > nginx.conf
// ${NAME} has to be set; ${NAME:-something} may be. Anything else with a $ is left as it is.
import { readFileSync } from 'node:fs';

const [, , file] = process.argv;
if (!file) {
  console.error('Usage: node fill.js <template>');
  process.exit(1);
}

const missing = new Set();
const unfit = new Set();
const filled = readFileSync(file, 'utf8').replace(
  /\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}/g,
  (mark, name, fallback) => {
    const value = process.env[name] || fallback;
    if (value === undefined) missing.add(name);
    // What could end a line, a quotation or a statement in one of the formats would say something else there.
    else if (/[\x00-\x1f"'`\\;{}#]/.test(value)) unfit.add(name);
    return value ?? mark;
  },
);

if (missing.size > 0) console.error(`Not set: ${[...missing].join(', ')}`);
if (unfit.size > 0)
  console.error(`With a quotation mark, a bracket, a semicolon or the like: ${[...unfit].join(', ')}`);
if (missing.size > 0 || unfit.size > 0) process.exit(1);
process.stdout.write(filled);
