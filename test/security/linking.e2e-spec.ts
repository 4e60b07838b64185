import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import type { Answer, Begun } from '../support/api-client.js';
import { auditEntries } from '../support/audit-entries.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { Lab, LAB_KEY, type LinkAnswer } from '../support/lab/lab.js';

const TRUSTED = { policies: { trusted_for_email: true, trusted_for_phone: true } };
const LINKING = { policies: { trusted_for_email: true, link_by_email: 'verified' } };

describeOnEachDatabase('identities and the users they lead to', (kind) => {
  let lab: Lab;
  let rows: DatabaseRows;
  let application: Application;

  beforeAll(async () => {
    lab = await Lab.start(kind);
    rows = new DatabaseRows(lab.app);
  });
  afterAll(() => lab.stop());
  beforeEach(async () => {
    application = await lab.app.createApplication();
  });

  const verifyEmailOf = (id: number) =>
    rows.run('UPDATE users SET email_verified = (1 = 1) WHERE id = :id', { id });
  const codeOf = ({ status, body }: Answer<unknown>) =>
    `${status} ${String((body as Record<string, unknown> | undefined)?.['code'])}`;
  const usersOf = async () =>
    (
      await rows.run<{ count: number }>('SELECT count(*) AS count FROM users WHERE application_id = :id', {
        id: application.id,
      })
    )[0]!.count;

  describe('an e-mail address', () => {
    const victim = { sub: 'victim', email: 'victim@example.com', email_verified: true };

    it("D-01 that an attacker registered before does not draw the victim in, and is the victim's from then on", async () => {
      await lab.addProvider(application, LINKING);
      const attacker = await lab.api.signUp(application, { login: 'mallory', email: 'victim@example.com' });
      const { user } = await lab.signedIn(application, victim);
      expect(user.id).not.toBe(attacker.id);
      expect(user).toMatchObject({ email: 'victim@example.com', email_verified: true });
      const credential = { email: 'victim@example.com', password: 'correct horse battery staple' };
      const attempt = await lab.api.send('POST', '/v1/sessions', {
        as: application,
        body: { provider: 'password', credential },
      });
      expect(codeOf(attempt)).toBe('401 invalid_credentials');
      const takeovers = await auditEntries(lab.app, 'identifier.taken_over');
      expect(takeovers.at(-1)).toMatchObject({ userId: attacker.id, details: { kind: 'email' } });
    });

    it('leads to the user who verified it, where both sides did and the provider is trusted', async () => {
      await lab.addProvider(application, LINKING);
      const local = await lab.api.signUp(application, { login: 'vic', email: 'Victim@example.com' });
      await verifyEmailOf(local.id);
      expect((await lab.signedIn(application, victim)).user.id).toBe(local.id);
      expect((await lab.signedIn(application, victim)).user.id).toBe(local.id);
    });

    it('leads nowhere by default: the user is told, and nothing is made', async () => {
      await lab.addProvider(application, TRUSTED);
      const local = await lab.api.signUp(application, { login: 'vic', email: 'victim@example.com' });
      await verifyEmailOf(local.id);
      expect(codeOf(await lab.begin(application, victim))).toBe('409 email_in_use');
      expect(await usersOf()).toBe(1);
    });

    it.each([false, undefined, 'false', 'true', 1, null])(
      "D-02 with email_verified %j is nobody's login and links nobody",
      async (email_verified) => {
        await lab.addProvider(application, LINKING);
        const local = await lab.api.signUp(application, { login: 'vic', email: 'victim@example.com' });
        await verifyEmailOf(local.id);
        const { user } = await lab.signedIn(application, { ...victim, email_verified });
        expect(user.id).not.toBe(local.id);
        expect(user.email).toBeNull();
      },
    );

    it('D-03 from a provider that is not trusted is kept as a claim, never as a login or a link', async () => {
      await lab.addProvider(application, { policies: { link_by_email: 'verified' } });
      const local = await lab.api.signUp(application, { login: 'vic', email: 'victim@example.com' });
      await verifyEmailOf(local.id);
      const { session, user } = await lab.signedIn(application, victim);
      expect(user.id).not.toBe(local.id);
      expect(user.email).toBeNull();
      const { body } = await lab.identities(session.token);
      expect(body.items).toMatchObject([{ email: 'victim@example.com', email_verified: true }]);
    });

    it.each([
      ['VICTIM@EXAMPLE.COM', true],
      ['victim@Example.com', true],
      ['vic.tim@example.com', false],
      ['victim+tag@example.com', false],
      ['vіctim@example.com', false],
      ['victim@exаmple.com', false],
      ['victim@example.com.', false],
      [' victim@example.com', false],
    ])('D-04 %j is the same as victim@example.com: %s', async (email, isSame) => {
      await lab.addProvider(application, LINKING);
      const local = await lab.api.signUp(application, { login: 'vic', email: 'victim@example.com' });
      await verifyEmailOf(local.id);
      const { user } = await lab.signedIn(application, { sub: 's', email, email_verified: true });
      expect(user.id === local.id).toBe(isSame);
    });

    it('D-04 of an internationalised domain is the same in both of its spellings', async () => {
      await lab.addProvider(application, LINKING);
      const local = await lab.api.signUp(application, {
        login: 'vic',
        email: 'victim@xn--bcher-kva.example',
      });
      await verifyEmailOf(local.id);
      const spelled = { sub: 's', email: 'victim@xn--BCHER-kva.example', email_verified: true };
      expect((await lab.signedIn(application, spelled)).user.id).toBe(local.id);
    });

    it('D-12 comes from the provider alone: one beside the credential is refused', async () => {
      await lab.addProvider(application, LINKING);
      const body = lab.presented({ sub: 's' });
      const beside = { ...body, credential: { ...body.credential, email: 'victim@example.com' } };
      const answer = await lab.api.send('POST', '/v1/sessions', { as: application, body: beside });
      expect(codeOf(answer)).toBe('422 validation_failed');
      expect(await usersOf()).toBe(0);
    });
  });

  describe('a phone number', () => {
    it("is the new user's where a trusted provider verified it, also from who claimed it without", async () => {
      await lab.addProvider(application, TRUSTED);
      const squatter = await lab.api.signUp(application, { login: 'squatter', phone: '+15550100' });
      const { user } = await lab.signedIn(application, { sub: 's', phone: '+15550100' });
      expect(user).toMatchObject({ phone: '+15550100', phone_verified: true });
      expect(user.id).not.toBe(squatter.id);
    });
  });

  describe('linking', () => {
    const signedInAs = async (login: string): Promise<Begun> => lab.api.user(application, login);

    it('adds a way in, and lists it', async () => {
      await lab.addProvider(application);
      const { session, user } = await signedInAs('ada');
      const linked = await lab.link(session.token, { sub: 'ada-at-lab', name: 'Ada' });
      expect(linked.status).toBe(201);
      expect(linked.body.identity).toMatchObject({ provider: 'lab', subject: 'ada-at-lab', name: 'Ada' });
      expect((await lab.signedIn(application, { sub: 'ada-at-lab' })).user.id).toBe(user!.id);
      expect((await lab.identities(session.token)).body.items).toHaveLength(1);
    });

    it('D-05 refuses an identity of another user, who keeps it, and the session goes on', async () => {
      await lab.addProvider(application);
      const owner = await lab.signedIn(application, { sub: 'taken' });
      const { session } = await signedInAs('ada');
      expect(codeOf(await lab.link(session.token, { sub: 'taken' }))).toBe('409 identity_already_linked');
      expect((await lab.api.get('/v1/session', session.token)).status).toBe(200);
      expect((await lab.signedIn(application, { sub: 'taken' })).user.id).toBe(owner.user.id);
    });

    it('D-06 needs a fresh sign-in, and so does unlinking', async () => {
      await lab.addProvider(application);
      const { session } = await signedInAs('ada');
      const { identity } = (await lab.link(session.token, { sub: 'one' })).body;
      lab.app.clock.advance({ minutes: 11 });
      expect(codeOf(await lab.link(session.token, { sub: 'two' }))).toBe('403 fresh_sign_in_required');
      const unlinked = await lab.api.send('DELETE', `/v1/users/me/identities/${identity.id}`, {
        as: session.token,
      });
      expect(codeOf(unlinked)).toBe('403 fresh_sign_in_required');
    });

    it('D-06 a federated sign-in is as fresh as the provider says it is', async () => {
      await lab.addProvider(application);
      const longAgo = Math.floor(lab.app.clock.now() / 1000) - 3600;
      const { session } = await lab.signedIn(application, { sub: 'ada', auth_time: longAgo });
      expect(codeOf(await lab.link(session.token, { sub: 'two' }))).toBe('403 fresh_sign_in_required');
    });

    it('D-07 needs the session in the header: nothing in the body or the query stands in for it', async () => {
      await lab.addProvider(application);
      const { session } = await signedInAs('ada');
      const body = lab.presented({ sub: 'mallory' });
      const path = `/v1/users/me/identities?session=${session.token}&token=${session.token}`;
      for (const sent of [
        { body },
        { body: { ...body, token: session.token } },
        { body, headers: { cookie: `session=${session.token}` } },
      ]) {
        expect((await lab.api.send('POST', path, sent)).status).toBe(401);
      }
      expect((await lab.identities(session.token)).body.items).toEqual([]);
    });

    it('D-08 never unlinks the last way in, also not two at once', async () => {
      await lab.addProvider(application);
      const { session } = await lab.signedIn(application, { sub: 'one' });
      expect((await lab.link(session.token, { sub: 'two' })).status).toBe(201);
      const { items } = (await lab.identities(session.token)).body;
      const answers = await Promise.all(
        items.map(({ id }) => lab.api.send('DELETE', `/v1/users/me/identities/${id}`, { as: session.token })),
      );
      expect(answers.map(codeOf).toSorted()).toEqual(['204 undefined', '409 last_way_in']);
      expect((await lab.identities(session.token)).body.items).toHaveLength(1);
    });

    it('D-08 counts a disabled provider for no way in', async () => {
      await lab.addProvider(application);
      await lab.addProvider(application, { slug: 'other' });
      const { session } = await lab.signedIn(application, { sub: 'one' });
      await lab.link(session.token, { sub: 'two' }, { provider: 'other' });
      await lab.providers.setEnabled(application.id, 'other', false);
      const { items } = (await lab.identities(session.token)).body;
      const first = items.find(({ provider }) => provider === 'lab')!;
      const answer = await lab.api.send('DELETE', `/v1/users/me/identities/${first.id}`, {
        as: session.token,
      });
      expect(codeOf(answer)).toBe('409 last_way_in');
    });

    it("D-09 after unlinking, the identity is a stranger's", async () => {
      await lab.addProvider(application);
      const { session, user } = await signedInAs('ada');
      const { identity } = (await lab.link(session.token, { sub: 'gone' })).body;
      const unlinked = await lab.api.send('DELETE', `/v1/users/me/identities/${identity.id}`, {
        as: session.token,
      });
      expect(unlinked.status).toBe(204);
      expect((await lab.signedIn(application, { sub: 'gone' })).user.id).not.toBe(user!.id);
    });

    it('D-13 of a provider for linking alone lets nobody in with it', async () => {
      await lab.addProvider(application, { policies: { link_only: true } });
      const { session } = await signedInAs('ada');
      expect((await lab.link(session.token, { sub: 'linked' })).status).toBe(201);
      const body = lab.presented({ sub: 'linked' });
      const app = await lab.api.applicationSession(application);
      for (const answer of [
        await lab.begin(application, { sub: 'linked' }),
        await lab.begin(application, { sub: 'new' }),
        await lab.api.send('PUT', '/v1/session/user', { as: app.token, body }),
      ]) {
        expect(codeOf(answer)).toBe('403 provider_link_only');
      }
      const { items } = (await lab.identities(session.token)).body;
      const last = await lab.api.send('DELETE', `/v1/users/me/identities/${items[0]!.id}`, {
        as: session.token,
      });
      expect(last.status).toBe(204);
    });

    it('takes a one-time statement once, also from two at once', async () => {
      await lab.addProvider(application);
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => lab.begin(application, { sub: 'ada', jti: 'only-once' })),
      );
      const accepted = answers.filter(({ status }) => status === 201);
      expect(accepted).toHaveLength(1);
      expect(new Set(answers.filter((answer) => !accepted.includes(answer)).map(codeOf))).toEqual(
        new Set(['401 invalid_credentials']),
      );
    });
  });

  describe('providers', () => {
    it.each(['password', 'guest', 'facebook', 'twitter', 'firebase', 'firebase_phone'])(
      'D-14 cannot be named %s',
      async (slug) => {
        await expect(lab.addProvider(application, { slug })).rejects.toMatchObject({
          code: 'validation_failed',
          errors: [{ pointer: '/slug', code: 'reserved' }],
        });
      },
    );

    it('D-14 of one kind share no subjects', async () => {
      await lab.addProvider(application);
      await lab.addProvider(application, { slug: 'other', options: { key: 'another key' } });
      const one = await lab.signedIn(application, { sub: '7' });
      const other = await lab.signedIn(application, { sub: '7' }, { provider: 'other', key: 'another key' });
      expect(other.user.id).not.toBe(one.user.id);
    });

    it('D-18 made anew under the same name inherit no links', async () => {
      await lab.addProvider(application);
      const before = await lab.signedIn(application, { sub: 'ada' });
      await lab.providers.remove(application.id, 'lab');
      expect(codeOf(await lab.begin(application, { sub: 'ada' }))).toBe('404 unknown_identity_provider');
      await lab.addProvider(application);
      expect((await lab.signedIn(application, { sub: 'ada' })).user.id).not.toBe(before.user.id);
    });

    it('A-20 once disabled let nobody in, known or new, with or without an e-mail address', async () => {
      await lab.addProvider(application, LINKING);
      const known = await lab.signedIn(application, { sub: 'known' });
      await lab.providers.setEnabled(application.id, 'lab', false);
      for (const claims of [
        { sub: 'known' },
        { sub: 'new' },
        { sub: 'new', email: 'known@example.com', email_verified: true },
      ]) {
        expect(codeOf(await lab.begin(application, claims))).toBe('404 unknown_identity_provider');
      }
      expect(await usersOf()).toBe(1);
      await lab.providers.setEnabled(application.id, 'lab', true);
      expect((await lab.signedIn(application, { sub: 'known' })).user.id).toBe(known.user.id);
    });

    it('A-20 a disabled link stays disabled, and is made up for by no e-mail address', async () => {
      await lab.addProvider(application, LINKING);
      const claims = { sub: 'ada', email: 'ada@example.com', email_verified: true };
      const { user } = await lab.signedIn(application, claims);
      const as = await lab.app.createAdminKey('operator');
      const path = `/admin/v1/applications/${application.id}/users/${user.id}/identities`;
      const listed = await lab.api.get<{ items: { id: number }[] }>(path, as);
      const at = `${path}/${listed.body.items[0]!.id}`;
      const disabled = await lab.api.send<LinkAnswer>('POST', `${at}/disable`, { as });
      expect(disabled.body.identity).toMatchObject({ provider: 'lab', subject: 'ada', disabled: true });
      expect(codeOf(await lab.begin(application, claims))).toBe('401 invalid_credentials');
      expect(await usersOf()).toBe(1);
      await lab.api.send('POST', `${at}/enable`, { as });
      expect((await lab.signedIn(application, claims)).user.id).toBe(user.id);
    });

    it("A-04 are their application's own: what was said to one is nothing to another", async () => {
      await lab.addProvider(application);
      const other = await lab.app.createApplication();
      await lab.addProvider(other, { options: { key: 'the key of another' } });
      expect(codeOf(await lab.begin(other, { sub: 'ada' }))).toBe('401 invalid_credentials');
      const third = await lab.app.createApplication();
      expect(codeOf(await lab.begin(third, { sub: 'ada' }))).toBe('404 unknown_identity_provider');
    });
  });

  describe('what people say of themselves', () => {
    it('U-01 leads no identity to them', async () => {
      await lab.addProvider(application, LINKING);
      const mallory = await lab.api.signUp(application, {
        login: 'mallory',
        external_id: 'victim',
        custom_data: '{"facebook_id":"victim","twitter_id":"victim","lab":"victim"}',
      });
      expect((await lab.signedIn(application, { sub: 'victim' })).user.id).not.toBe(mallory.id);
      for (const field of ['facebook_id', 'twitter_id', 'external_user_id', 'identities']) {
        const body = {
          login: `mallory-${field}`,
          password: 'correct horse battery staple',
          [field]: 'victim',
        };
        const answer = await lab.api.send('POST', '/v1/users', { as: application, body });
        expect(codeOf(answer)).toBe('422 validation_failed');
      }
    });

    it('U-05 a session alone gives a federated user no password', async () => {
      await lab.addProvider(application);
      const { session } = await lab.signedIn(application, { sub: 'ada' });
      lab.app.clock.advance({ minutes: 11 });
      const body = { login: 'ada', password: 'another battery staple' };
      const change = (token: string) =>
        lab.api.send<Begun>('PUT', '/v1/users/me/password', { as: token, body });
      expect(codeOf(await change(session.token))).toBe('403 fresh_sign_in_required');
      const again = await lab.api.send<Begun>('PUT', '/v1/session/user', {
        as: session.token,
        body: lab.presented({ sub: 'ada' }),
      });
      expect((await change(again.body.session.token)).status).toBe(200);
    });

    it('U-06 a federated user has no password to guess', async () => {
      await lab.addProvider(application, TRUSTED);
      await lab.signedIn(application, { sub: 'ada', email: 'ada@example.com', email_verified: true });
      for (const password of ['', 'null', 'undefined', 'ada@example.com']) {
        const credential = { email: 'ada@example.com', password };
        const answer = await lab.api.send('POST', '/v1/sessions', {
          as: application,
          body: { provider: 'password', credential },
        });
        expect(codeOf(answer)).toBe('401 invalid_credentials');
      }
    });
  });

  describe('a guest', () => {
    const upgrade = (token: string, sub: string) =>
      lab.api.send<Begun & { replaced_guest?: { user_id: number } }>('PUT', '/v1/session/user', {
        as: token,
        body: lab.presented({ sub, name: 'Ada' }),
      });

    it('who signs in with a new identity becomes that user, and keeps what they have', async () => {
      await lab.addProvider(application);
      const guest = await lab.api.guest(application);
      const answer = await upgrade(guest.session.token, 'ada');
      expect(answer.status).toBe(200);
      expect(answer.body.user).toMatchObject({ id: guest.user!.id, guest: false, full_name: 'Ada' });
      expect(answer.body.replaced_guest).toBeUndefined();
      expect((await lab.signedIn(application, { sub: 'ada' })).user.id).toBe(guest.user!.id);
    });

    it('who signs in with an identity of another user becomes that one, and the answer has both ids', async () => {
      await lab.addProvider(application);
      const owner = await lab.signedIn(application, { sub: 'ada' });
      const guest = await lab.api.guest(application);
      const answer = await upgrade(guest.session.token, 'ada');
      expect(answer.body.user!.id).toBe(owner.user.id);
      expect(answer.body.replaced_guest).toEqual({ user_id: guest.user!.id });
      expect((await lab.api.get('/v1/session', guest.session.token)).status).toBe(401);
    });

    it('is refused where the policy says so, with both ids, and nothing changes', async () => {
      await lab.addProvider(application, { policies: { guest_conflict: 'refuse' } });
      const owner = await lab.signedIn(application, { sub: 'ada' });
      const guest = await lab.api.guest(application);
      const answer = await upgrade(guest.session.token, 'ada');
      expect(codeOf(answer)).toBe('409 guest_conflict');
      expect(answer.body).toMatchObject({ guest_user_id: guest.user!.id, user_id: owner.user.id });
      expect((await lab.api.get('/v1/session', guest.session.token)).status).toBe(200);
    });

    it('can link an identity with nothing but their session, and is none from then on', async () => {
      await lab.addProvider(application);
      const guest = await lab.api.guest(application);
      lab.app.clock.advance({ minutes: 11 });
      expect((await lab.link(guest.session.token, { sub: 'ada' })).status).toBe(201);
      expect((await lab.signedIn(application, { sub: 'ada' })).user).toMatchObject({
        id: guest.user!.id,
        guest: false,
      });
    });
  });

  describe('policies', () => {
    it('refuse strangers where create_users is off, and let linked people in', async () => {
      await lab.addProvider(application, { policies: { create_users: false } });
      expect(codeOf(await lab.begin(application, { sub: 'ada' }))).toBe('403 sign_up_disabled');
      expect(await usersOf()).toBe(0);
      expect((await auditEntries(lab.app, 'sign_in')).at(-1)).toMatchObject({
        applicationId: application.id,
        outcome: 'refused',
        reason: 'sign_up_disabled',
        details: { provider: 'lab' },
      });
      const { session, user } = await lab.api.user(application, 'ada');
      await lab.link(session.token, { sub: 'ada' });
      expect((await lab.signedIn(application, { sub: 'ada' })).user.id).toBe(user!.id);
    });

    it.each([
      ['never', null, null],
      ['create', 'Ada', 'Ada'],
      ['every_sign_in', 'Ada', 'Ada Lovelace'],
    ])('profile_sync %s gives %j, then %j', async (profile_sync, first, second) => {
      await lab.addProvider(application, { policies: { profile_sync } });
      const made = await lab.signedIn(application, { sub: 'ada', name: 'Ada', locale: 'en_GB' });
      expect(made.user['full_name']).toBe(first);
      expect(made.user['locale']).toBe(first && 'en-GB');
      const again = await lab.signedIn(application, { sub: 'ada', name: 'Ada Lovelace' });
      expect(again.user['full_name']).toBe(second);
    });

    it('disabled users stay out by whatever identity', async () => {
      await lab.addProvider(application);
      const { user } = await lab.signedIn(application, { sub: 'ada' });
      await rows.disableUser(user.id);
      expect(codeOf(await lab.begin(application, { sub: 'ada' }))).toBe('401 invalid_credentials');
    });
  });

  describe('a provider in trouble', () => {
    it('is told from a refused credential, blocks no other, and says when to come back', async () => {
      await lab.addProvider(application);
      await lab.addProvider(application, { slug: 'down', options: { key: LAB_KEY, fails: 'down' } });
      await lab.addProvider(application, {
        slug: 'wrong',
        options: { key: LAB_KEY, fails: 'misconfigured' },
      });
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => lab.begin(application, { sub: 'ada' }, { provider: 'down' })),
      );
      expect(new Set(answers.map(codeOf))).toEqual(new Set(['503 identity_provider_unavailable']));
      expect(Number(answers[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
      const wrong = await lab.begin(application, { sub: 'ada' }, { provider: 'wrong' });
      expect(codeOf(wrong)).toBe('503 identity_provider_misconfigured');
      expect((await lab.begin(application, { sub: 'ada' })).status).toBe(201);
    });

    it('A-17 a session token is no foreign credential, and a foreign credential no session token', async () => {
      await lab.addProvider(application);
      const { session } = await lab.signedIn(application, { sub: 'ada' });
      const presented = { provider: 'lab', credential: { assertion: session.token } };
      const answer = await lab.api.send('POST', '/v1/sessions', { as: application, body: presented });
      expect(codeOf(answer)).toBe('401 invalid_credentials');
      const { assertion } = lab.presented({ sub: 'ada' }).credential;
      expect(codeOf(await lab.api.get('/v1/session', assertion))).toBe('401 session_ended');
    });
  });
});
