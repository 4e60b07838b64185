import { describe, expect, it } from '@jest/globals';
import { applicationSettingsSchema } from '../applications/application-settings.js';
import { commonPasswords } from './common-passwords.js';
import { countCharacters, normalisePassword, passwordFault } from './password-policy.js';

const context = { applicationName: 'Blue Whale', identifiers: ['alice', 'alice.w@example.com', '+15550100'] };
const isCommon = await commonPasswords();
const faultOf = (password: string, changes: object = {}) =>
  passwordFault(normalisePassword(password), applicationSettingsSchema.parse(changes), context, isCommon)
    ?.code ?? null;

describe('passwordFault', () => {
  it.each<[string, string, object, string | null]>([
    ['eight characters are enough', 'k7#qZp2!', {}, null],
    ['seven are not', 'k7#qZp2', {}, 'too_short'],
    ['characters are counted as people see them', '🎉🎊🎈🎁', {}, 'too_short'],
    ['an application may ask for four', 'k7#q', { password_min_length: 4 }, null],
    ['an application may ask for more', 'k7#qZp2!', { password_min_length: 12 }, 'too_short'],
    ['1024 characters are welcome', 'x7'.repeat(512), {}, null],
    ['1025 are too many', `${'x7'.repeat(512)}x`, {}, 'too_long'],
    ['spaces count', 'a b c d ', {}, null],
    ['a password of the lists is refused', 'password1', {}, 'too_common'],
    ['in capital letters too', 'PassWord1', {}, 'too_common'],
    ['and in full-width ones', 'ｐａｓｓｗｏｒｄ１', {}, 'too_common'],
    ['unless the application allows it', 'password1', { common_passwords: 'allow' }, null],
    ['the name of the application is refused', 'blue whale', {}, 'too_common'],
    ['without its spaces too', 'BlueWhale', {}, 'too_common'],
    ['the e-mail address is refused', 'Alice.W@Example.com', {}, 'same_as_identifier'],
    ['what stands before the @ too', 'alice.w', { password_min_length: 4 }, 'same_as_identifier'],
    [
      'even where common ones are allowed',
      'alice.w@example.com',
      { common_passwords: 'allow' },
      'same_as_identifier',
    ],
    ['no kinds of characters are asked for', 'mnbqwpoirutz', {}, null],
  ])('%s', (_, password, changes, code) => {
    expect(faultOf(password, changes)).toBe(code);
  });
});

describe('normalisePassword', () => {
  it('makes one password of two ways to type it', () => {
    expect(normalisePassword('cafe\u0301')).toBe(normalisePassword('café'));
    expect(normalisePassword('ﬁ')).toBe('fi');
  });

  it('drops and cuts nothing', () => {
    expect(normalisePassword('  a  ')).toBe('  a  ');
    expect(countCharacters(normalisePassword('x'.repeat(5000)))).toBe(5000);
  });
});
