import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

/**
 * The rows of the security checklist: what this class of software has already suffered. Each has a test whose name
 * begins with its id, or a line in later.json that says which feature will owe one.
 */
const CHECKLIST = {
  A: { about: 'external tokens: audience, issuer, type', rows: 23 },
  B: { about: 'JWT and keys', rows: 18 },
  C: { about: 'calling the partner', rows: 26 },
  D: { about: 'linking, merge, pre-hijack', rows: 19 },
  S: { about: 'sessions and refresh', rows: 26 },
  U: { about: 'users, local auth, recovery, abuse', rows: 32 },
} as const;

const ROOT = join(import.meta.dirname, '..', '..');
const ID = /\b[ABCDSU]-\d{2}\b/g;

/** Functions that take the name of a test or of a group of tests first. */
const NAMING = new Set(['it', 'test', 'describe', 'describeOnEachDatabase']);
/** Such tests run nowhere. */
const NOT_RUN = new Set(['skip', 'todo']);

const ids = Object.entries(CHECKLIST).flatMap(([letter, { rows }]) =>
  Array.from({ length: rows }, (_, i) => `${letter}-${String(i + 1).padStart(2, '0')}`),
);
const later = JSON.parse(readFileSync(join(import.meta.dirname, 'later.json'), 'utf8')) as Record<
  string,
  string
>;
const tested = new Set(
  [...filesIn('src', /\.spec\.ts$/), ...filesIn('test', /\.(e2e-)?spec\.ts$/)]
    .flatMap((file) => testNames(readFileSync(join(ROOT, file), 'utf8')))
    .flatMap((name) => name.match(ID) ?? []),
);

describe('the map of the security checklist', () => {
  it('has all 144 rows', () => {
    expect(ids).toHaveLength(144);
  });

  it('finds a test or a feature to come for each row', () => {
    expect(ids.filter((id) => !tested.has(id) && later[id] === undefined)).toEqual([]);
  });

  it('puts off no row that has a test', () => {
    expect(Object.keys(later).filter((id) => tested.has(id))).toEqual([]);
  });

  it('knows of no row that the checklist does not have', () => {
    expect([...tested, ...Object.keys(later)].filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('names a feature for each row that is put off', () => {
    expect(Object.entries(later).filter(([, feature]) => !/^[a-zA-Z].{3,}/.test(feature))).toEqual([]);
  });

  it('reads the names of tests wherever they stand, and no others', () => {
    const source = `
      it('S-01 one', () => { expect('S-02').toBe('S-02'); });
      it.each([['S-03', 1]])('S-04 %s', () => {});
      describe.each(\`S-05\`)("S-06", () => test(\`S-07 \${x} S-08\`, () => {}));
      it.skip('S-09', () => {}); describe.skip('S-10', () => {}); it.todo('S-11'); // S-12
      it.skip.each([1])('S-13', () => {}); describeOnEachDatabase('S-14', () => {}); other('S-15');`;
    const found = testNames(source).flatMap((name) => name.match(ID) ?? []);
    expect(found.sort()).toEqual(['S-01', 'S-04', 'S-06', 'S-07', 'S-08', 'S-14']);
  });
});

function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => pattern.test(file) && !file.includes('node_modules'))
    .map((file) => join(folder, file));
}

/** What the tests and groups of tests in a source are called. */
function testNames(source: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isNaming(node.expression) && node.arguments[0]) {
      names.push(...textOf(node.arguments[0]));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest));
  return names;
}

/** `it`, `it.only`, `it.each(table)`; but not the `it.each` that takes the table. */
function isNaming(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return NAMING.has(callee.text);
  if (ts.isCallExpression(callee)) return isEach(callee.expression) && isNamingRoot(callee.expression);
  return !isEach(callee) && isNamingRoot(callee);
}

function isEach(expression: ts.Expression): boolean {
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'each';
}

function isNamingRoot(expression: ts.Expression): boolean {
  if (ts.isIdentifier(expression)) return NAMING.has(expression.text);
  if (!ts.isPropertyAccessExpression(expression) || NOT_RUN.has(expression.name.text)) return false;
  return isNamingRoot(expression.expression);
}

function textOf(name: ts.Expression): string[] {
  if (ts.isStringLiteralLike(name)) return [name.text];
  if (!ts.isTemplateExpression(name)) return [];
  return [name.head.text, ...name.templateSpans.map(({ literal }) => literal.text)];
}
