/*
 * Who may import whom. Arrows point down:
 *   faces -> chat, local-auth -> session -> accounts -> applications -> ground
 *   session -> identity-providers -> identity; accounts -> identity
 *   social-auth, custom-idp -> identity, ground
 * The rules name rooms that are not built yet, so that whoever builds one finds its walls standing.
 */
const ground =
  'audit|throttle|outbox|jobs|mail|files|secrets|outbound|persistence|http|observability|workers|config|events|errors|time';
const faces = 'api|oauth|compat|admin|cli';
const features =
  'admin-keys|chat|local-auth|session|accounts|identity-providers|identity|social-auth|custom-idp|applications';

/** Files of a room, its specs aside: a spec may look wherever it has to. */
const room = (names) => ({ path: `^src/(${names})/`, pathNot: '\\.spec\\.ts$' });
const mayImportOnly = (name, names, allowed) => ({
  name,
  comment: `${names} may import: ${allowed}`,
  severity: 'error',
  from: room(names),
  to: { path: '^src/', pathNot: `^src/(${names.includes('|') ? '$1' : names}|${allowed})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: {},
    },
    mayImportOnly('ground-stays-ground', ground, ground),
    {
      name: 'errors-and-events-import-nothing',
      severity: 'error',
      from: room('errors|events|time'),
      to: { path: '^src/', pathNot: '^src/$1/' },
    },
    mayImportOnly('identity-imports-nothing-above', 'identity', 'errors|events|time|observability'),
    mayImportOnly('admin-keys', 'admin-keys', ground),
    mayImportOnly('applications', 'applications', ground),
    mayImportOnly('accounts', 'accounts', `identity|applications|${ground}`),
    mayImportOnly('identity-providers', 'identity-providers', `identity|applications|${ground}`),
    mayImportOnly('verifiers-are-strangers', 'social-auth|custom-idp', `identity|${ground}`),
    mayImportOnly('session', 'session', `accounts|identity-providers|identity|applications|${ground}`),
    mayImportOnly('local-auth', 'local-auth', `session|accounts|applications|${ground}`),
    mayImportOnly('chat', 'chat', `local-auth|session|accounts|applications|${ground}`),
    {
      name: 'faces-never-import-each-other',
      severity: 'error',
      from: room(faces),
      to: { path: `^src/(${faces})/`, pathNot: '^src/$1/' },
    },
    {
      name: 'faces-call-services-only',
      comment: 'Rows and repositories stay inside their feature.',
      severity: 'error',
      from: room(faces),
      to: { path: `^src/(${features})/.*\\.(entity|repository)\\.ts$` },
    },
    {
      name: 'repositories-stay-at-home',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/[^/]+/.*\\.(entity|repository)\\.ts$', pathNot: '^src/$1/' },
    },
    {
      name: 'typeorm-at-the-edge',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/persistence/|\\.(entity|repository|module)\\.ts$|\\.spec\\.ts$' },
      to: { path: 'node_modules/(typeorm|pg|better-sqlite3)/' },
    },
    {
      name: 'nobody-imports-the-root',
      comment: 'The files beside the folders put everything together; only they and their tests import them.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '\\.spec\\.ts$|^src/cli/' },
      to: { path: '^src/[^/]+\\.ts$', pathNot: '^src/version\\.ts$' },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types'],
    },
  },
};
