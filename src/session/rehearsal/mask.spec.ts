import { describe, expect, it } from '@jest/globals';
import { Mask } from './mask.js';

const TOKEN = 'to+ken/with "odd" characters=é';
const mask = new Mask([
  { name: 'credential.token', value: TOKEN },
  { name: 'options.secret', value: 'c0nfigured-secret' },
  { name: 'options.longer', value: 'c0nfigured-secret-and-more' },
]);

describe(Mask, () => {
  it.each([
    ['as it is', TOKEN],
    ['in a path', encodeURIComponent(TOKEN)],
    ['in a form', new URLSearchParams([['t', TOKEN]]).toString().slice(2)],
    ['in JSON', JSON.stringify(TOKEN).slice(1, -1)],
    ['in JSON with escaped slashes', JSON.stringify(TOKEN).slice(1, -1).replaceAll('/', '\\/')],
    ['in base64', Buffer.from(TOKEN).toString('base64')],
    ['in base64url', Buffer.from(TOKEN).toString('base64url')],
  ])('C-22 names a secret in its place, %s', (_, encoded) => {
    expect(mask.text(`before ${encoded} after`)).toBe('before ‹credential.token› after');
  });

  it('takes the longer of two that begin alike', () => {
    expect(mask.text('c0nfigured-secret-and-more')).toBe('‹options.longer›');
  });

  it.each([
    ['Bearer c0nfigured-secret', 'Bearer ‹options.secret›'],
    ['c0nfigured-secret', '‹options.secret›'],
    ['Basic dXNlcjpwYXNzd29yZA==', 'Basic ‹redacted›'],
    ['Bearer c0nfigured-secret.and-a-part-that-nobody-knows', 'Bearer ‹redacted›'],
    ['unknown', '‹redacted›'],
  ])('C-23 shows of the header Authorization %s only %s', (value, shown) => {
    expect(mask.headers({ Authorization: value, Accept: 'x' })).toEqual({
      Authorization: shown,
      Accept: 'x',
    });
  });

  it('C-22 hides what stands under the names of secrets, known or not', () => {
    const answer = {
      id: 7,
      access_token: 'somebody else’s',
      token_type: 'Bearer',
      nested: [{ client_secret: 's', password: 'p', name: 'Ada', email_verified: true }],
    };
    expect(JSON.parse(mask.body(JSON.stringify(answer)))).toEqual({
      id: 7,
      access_token: '‹redacted›',
      token_type: 'Bearer',
      nested: [{ client_secret: '‹redacted›', password: '‹redacted›', name: 'Ada', email_verified: true }],
    });
    expect(
      mask.body('grant_type=x&client_secret=s&code=c&user%5Bpassword%5D=p&token=c0nfigured-secret'),
    ).toBe(
      'grant_type=x&client_secret=‹redacted›&code=‹redacted›&user%5Bpassword%5D=‹redacted›&token=‹options.secret›',
    );
    expect(mask.url('https://a.example/c0nfigured-secret?appsecret_proof=1&x=2#')).toBe(
      'https://a.example/‹options.secret›?appsecret_proof=‹redacted›&x=2#',
    );
  });

  it('shows nothing at all where a secret is too short to be told from other text', () => {
    const blind = new Mask([{ name: 'credential.password', value: 'ab' }]);
    for (const shown of [blind.text('abba'), blind.body('{"x":"ab"}'), blind.url('https://a.example/ab')]) {
      expect(shown).toContain('not shown');
      expect(shown).not.toMatch(/abba|"ab"|\/ab/);
    }
    expect(blind.value(7)).toContain('not shown');
  });

  it('keeps values of mappings in their types', () => {
    expect(mask.value(['a', 1, { deep: 'c0nfigured-secret' }])).toEqual([
      'a',
      1,
      { deep: '‹options.secret›' },
    ]);
    expect(mask.value(7)).toBe(7);
    expect(mask.value(null)).toBeNull();
  });
});
