import { describe, expect, it } from '@jest/globals';
import { adminRoles, roleSuffices } from './admin-key.js';

describe(roleSuffices.name, () => {
  it.each([
    ['viewer', ['viewer']],
    ['operator', ['viewer', 'operator']],
    ['owner', ['viewer', 'operator', 'owner']],
  ] as const)('lets a %s do what is for %j and nothing else', (role, allowed) => {
    expect(adminRoles.filter((needed) => roleSuffices(role, needed))).toEqual(allowed);
  });
});
