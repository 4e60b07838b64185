import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BrokerError } from '../../src/errors/broker-error.js';
import type { IdentityVerifier } from '../../src/identity/identity-verifier.js';
import { json } from '../support/twitter/x-answers.js';
import { anXStage, aPersonOnX, type XStage } from '../support/twitter/x-stage.js';

const V1 = '/1.1/account/verify_credentials.json';
const V2 = '/2/users/me';

describe('external tokens: X', () => {
  let stage: XStage;
  let verifier: IdentityVerifier;
  const ada = aPersonOnX();
  beforeEach(async () => {
    stage = await anXStage();
    verifier = stage.open({ ...stage.consumerKeys, ...stage.clientKeys });
  });
  afterEach(() => stage.close());

  const verify = (credential: unknown) =>
    verifier.verify(verifier.credentialSchema.parse(credential), { signal: AbortSignal.timeout(10_000) });
  const outcomeOf = (credential: unknown) =>
    verify(credential).then(
      ({ subject }) => `signed in as ${subject}`,
      (error: BrokerError) => error.code,
    );
  const aToken = (person = ada) => stage.double.tokenFor(person, stage.consumer);

  describe.each<['1.1' | '2']>([['1.1'], ['2']])('by API %s', (api) => {
    beforeEach(() => {
      if (api === '2') stage.double.closeV1();
    });
    const answerWithId = (id: unknown) =>
      api === '1.1'
        ? stage.double.answer(V1, json(200, { id: 12, id_str: id, name: 'Ada' }))
        : stage.double.answer(V2, json(200, { data: { id, name: 'Ada', username: 'ada' } }));
    const answerWithText = (id: string) => {
      const body = api === '1.1' ? `{"id":12,"id_str":${id}}` : `{"data":{"id":${id}}}`;
      stage.double.answer(api === '1.1' ? V1 : V2, { ...json(200, {}), body });
    };

    it("A-12 refuses a token of another app's consumer key", async () => {
      const other = stage.double.addConsumer({ key: 'theirs', secret: 'their-secret', callbacks: [] });
      expect(await outcomeOf(stage.double.tokenFor(ada, other))).toBe('invalid_credentials');
    });

    it('A-12 refuses the secret of another token, and no secret at all', async () => {
      const { oauth_token } = aToken();
      for (const oauth_token_secret of [aToken().oauth_token_secret, oauth_token, stage.consumer.secret]) {
        expect(await outcomeOf({ oauth_token, oauth_token_secret })).toBe('invalid_credentials');
      }
      expect(verifier.credentialSchema.safeParse({ oauth_token }).success).toBe(false);
      expect(verifier.credentialSchema.safeParse({ oauth_token, oauth_token_secret: '' }).success).toBe(
        false,
      );
    });

    it.each<[string, object]>([
      ['errors', { errors: [{ code: 89, message: 'Invalid or expired token.' }] }],
      ['an error', { error: 'Not authorized.' }],
      ['nothing', {}],
      ['nobody', { data: null }],
      ['another kind of nobody', { data: [] }],
      ['a name without an id', { screen_name: 'ada', data: { username: 'ada' } }],
    ])('A-13 refuses 200 with %s', async (_name, body) => {
      stage.double.answer(api === '1.1' ? V1 : V2, json(200, body));
      expect(await outcomeOf(aToken())).toBe('invalid_credentials');
    });

    it.each([
      ['empty', '""'],
      ['zero', '0'],
      ['zero as text', '"0"'],
      ['null', 'null'],
      ['the word null', '"null"'],
      ['the word undefined', '"undefined"'],
      ['a list', '[]'],
      ['a list of one', '["12"]'],
      ['an object', '{}'],
      ['true', 'true'],
      ['a number', '12'],
      ['beyond every number', '1e400'],
      ['300 characters', `"${'1'.repeat(300)}"`],
      ['text with NUL inside', '"1\\u00002"'],
      ['blank', '" "'],
    ])('A-14 refuses an id that is %s', async (_name, id) => {
      answerWithText(id);
      expect(await outcomeOf(aToken())).toBe('invalid_credentials');
    });

    it('A-15 keeps people apart whose ids are one number', async () => {
      const subjects: string[] = [];
      for (const id of ['1', '001', '1.0', '9007199254740992', '9007199254740993', '18446744073709551615']) {
        answerWithId(id);
        subjects.push((await verify(aToken())).subject);
      }
      expect(subjects).toEqual([
        '1',
        '001',
        '1.0',
        '9007199254740992',
        '9007199254740993',
        '18446744073709551615',
      ]);
    });

    it('A-15 takes the exact id from what X really answers', async () => {
      for (const id of ['9007199254740993', '1234567890123456789']) {
        expect((await verify(aToken(aPersonOnX({ id })))).subject).toBe(id);
      }
    });

    it('A-16 takes no id that the client names beside its token', () => {
      for (const field of ['uid', 'id', 'id_str', 'user_id', 'screen_name', 'email']) {
        const { success } = verifier.credentialSchema.safeParse({ ...aToken(), [field]: '12' });
        expect({ field, success }).toEqual({ field, success: false });
      }
    });
  });

  it('A-13 refuses an answer to a code that is an error with status 200', async () => {
    stage.double.answer(V2, json(200, { errors: [{ title: 'Not Found Error' }] }));
    expect(await outcomeOf(stage.codeOf(ada))).toBe('invalid_credentials');
  });

  it('A-16 takes no id that the client names beside its code', () => {
    const { success } = verifier.credentialSchema.safeParse({ ...stage.codeOf(ada), user_id: '12' });
    expect(success).toBe(false);
  });
});
