import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { definitionSchema, replacementSchema } from '../../src/identity-providers/provider-definition.js';
import { PASSWORD, type Answer, type Begun } from '../support/api-client.js';
import { auditEntries } from '../support/audit-entries.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { Lab, LAB_KEY } from '../support/lab/lab.js';
import { labAssertion, type LabClaims } from '../support/lab/lab-kind.js';

describeOnEachDatabase('what an operator wants done with a partner', (kind) => {
  let lab: Lab;
  let application: Application;

  beforeAll(async () => {
    lab = await Lab.start(kind, { env: { OSTIARY_THROTTLE__FAILURES_PER_USER: '6' } });
  });
  afterAll(() => lab.stop());
  beforeEach(async () => {
    application = await lab.app.createApplication();
  });

  const codeOf = ({ status, body }: Answer<unknown>) =>
    status < 300
      ? String(status)
      : `${status} ${String((body as Record<string, unknown> | undefined)?.['code'])}`;
  const addWith = (policies: Record<string, unknown>) => lab.addProvider(application, { policies });

  describe('fields that a mapping fills', () => {
    const ada: LabClaims = {
      sub: 'ada',
      email: 'ada@example.com',
      name: 'Ada as the claims have it',
      user: {
        login: 'ada',
        fullName: 'Ada Lovelace',
        website: 'https://ada.example',
        externalId: '9007199254740993',
        customData: '{"plan":"gold"}',
        timezone: 'Europe/London',
        country: 'GB',
        tags: ['vip', 'beta'],
        attributes: { level: 3, address: { city: 'London' } },
      },
    };

    it('are those of the new user, who has no password', async () => {
      await addWith({});
      const { user } = await lab.signedIn(application, ada);
      expect(user).toMatchObject({
        login: 'ada',
        email: 'ada@example.com',
        email_verified: false,
        full_name: 'Ada Lovelace',
        website: 'https://ada.example',
        external_id: '9007199254740993',
        custom_data: '{"plan":"gold"}',
        timezone: 'Europe/London',
        country: 'GB',
        tags: ['vip', 'beta'],
        attributes: { level: 3, address: { city: 'London' } },
      });
      const credential = { login: 'ada', password: PASSWORD };
      const body = { provider: 'password', credential };
      const attempt = await lab.api.send('POST', '/v1/sessions', { as: application, body });
      expect(codeOf(attempt)).toBe('401 invalid_credentials');
    });

    it.each([
      ['create', ['vip', 'beta'], { level: 3, address: { city: 'London' } }, 'Ada Lovelace'],
      ['every_sign_in', ['gone'], { level: 4, address: { city: 'London' } }, 'Ada King'],
    ])('stay or follow, with profile_sync %s', async (profile_sync, tags, attributes, full_name) => {
      await addWith({ profile_sync });
      await lab.signedIn(application, ada);
      const changed = { ...ada, user: { fullName: 'Ada King', tags: ['gone'], attributes: { level: 4 } } };
      const { user } = await lab.signedIn(application, changed);
      expect(user).toMatchObject({
        login: 'ada',
        website: 'https://ada.example',
        tags,
        attributes,
        full_name,
      });
    });

    it('leave a guest what they said of themselves', async () => {
      await addWith({});
      const body = { provider: 'guest', credential: { full_name: 'Visitor' } };
      const guest = await lab.api.send<Begun>('POST', '/v1/sessions', { as: application, body });
      const { body: begun } = await lab.api.send<Begun>('PUT', '/v1/session/user', {
        as: guest.body.session.token,
        body: lab.presented(ada),
      });
      expect(begun.user).toMatchObject({ id: guest.body.user!.id, guest: false, full_name: 'Visitor' });
      expect(begun.user).toMatchObject({ login: 'ada', tags: ['vip', 'beta'] });
    });

    it('never take an address that somebody has, verified or not, and are let in without it', async () => {
      await addWith({});
      const holder = await lab.api.signUp(application, { login: 'first', email: 'ada@example.com' });
      const { user } = await lab.signedIn(application, ada);
      expect(user.id).not.toBe(holder.id);
      expect(user).toMatchObject({ login: 'ada', email: null });
    });
  });

  describe('reuse', () => {
    it('is off: a login that is taken is said to be', async () => {
      await addWith({});
      await lab.api.signUp(application, { login: 'ada' });
      expect(codeOf(await lab.begin(application, { sub: '1', user: { login: 'Ada' } }))).toBe(
        '409 login_in_use',
      );
      const entries = await auditEntries(lab.app, 'sign_in');
      expect(entries.at(-1)).toMatchObject({ outcome: 'refused', reason: 'login_in_use' });
    });

    it('leads to who has the login, where the operator wants that, and warns', async () => {
      const { warnings } = await addWith({ reuse: ['login'] });
      expect(warnings.join()).toContain('reuse: "login"');
      const local = await lab.api.signUp(application, { login: 'ada' });
      const { user } = await lab.signedIn(application, { sub: '1', user: { login: 'ADA' } });
      expect(user.id).toBe(local.id);
      expect((await lab.signedIn(application, { sub: '1' })).user.id).toBe(local.id);
    });

    it('never reaches into another application', async () => {
      const other = await lab.app.createApplication();
      const elsewhere = await lab.api.signUp(other, { login: 'ada' });
      await addWith({ reuse: ['login'] });
      const { user } = await lab.signedIn(application, { sub: '1', user: { login: 'ada' } });
      expect(user.id).not.toBe(elsewhere.id);
    });

    it('by verified e-mail asks the same of both sides as link_by_email', async () => {
      await addWith({ reuse: ['verified_email'], trusted_for_email: true });
      const local = await lab.api.signUp(application, { login: 'ada', email: 'ada@example.com' });
      const claims = { sub: '1', email: 'ada@example.com', email_verified: true };
      // The user never verified it: the address goes to who can show that it is theirs.
      expect((await lab.signedIn(application, claims)).user.id).not.toBe(local.id);
    });
  });

  it('lets in only who has a verified address of an allowed domain, at each sign-in', async () => {
    await addWith({ email_domains: ['example.com'] });
    const begin = (email: string | undefined, email_verified = true) =>
      lab.begin(application, { sub: 'ada', ...(email !== undefined && { email }), email_verified });
    expect(codeOf(await begin('ada@elsewhere.example'))).toBe('403 email_domain_not_allowed');
    expect(codeOf(await begin('ada@example.com', false))).toBe('403 email_domain_not_allowed');
    expect(codeOf(await begin(undefined))).toBe('403 email_domain_not_allowed');
    expect(codeOf(await begin('ada@example.com'))).toBe('201');
    expect(codeOf(await begin('ada@elsewhere.example'))).toBe('403 email_domain_not_allowed');
    const { session } = await lab.api.user(application, 'local');
    expect(codeOf(await lab.link(session.token, { sub: 'eve', email: 'eve@elsewhere.example' }))).toBe(
      '403 email_domain_not_allowed',
    );
  });

  describe('a subject that changes hands', () => {
    it('D-17 does not take the account along, where the operator has named what tells', async () => {
      await addWith({});
      const { user } = await lab.signedIn(application, { sub: '1', continuity: 'joined 2019' });
      expect((await lab.signedIn(application, { sub: '1', continuity: 'joined 2019' })).user.id).toBe(
        user.id,
      );
      expect(codeOf(await lab.begin(application, { sub: '1', continuity: 'joined 2026' }))).toBe(
        '403 identity_reassigned',
      );
      const entries = await auditEntries(lab.app, 'sign_in');
      expect(entries.at(-1)).toMatchObject({ outcome: 'refused', reason: 'identity_reassigned' });
    });

    it('D-17 is told by what was said first, also where that came later than the link', async () => {
      await addWith({});
      await lab.signedIn(application, { sub: '1' });
      await lab.signedIn(application, { sub: '1', continuity: 'joined 2019' });
      expect(codeOf(await lab.begin(application, { sub: '1', continuity: 'joined 2026' }))).toBe(
        '403 identity_reassigned',
      );
    });

    it('D-17 leaves an entry where name and address are both others at once', async () => {
      await addWith({});
      const before = (await auditEntries(lab.app, 'identity.person_changed')).length;
      const { user } = await lab.signedIn(application, { sub: '1', name: 'Ada', email: 'ada@example.com' });
      await lab.signedIn(application, { sub: '1', name: 'Ada L.', email: 'ada@example.com' });
      await lab.signedIn(application, { sub: '1', name: 'Ada L.', email: 'ada@new.example' });
      expect(await auditEntries(lab.app, 'identity.person_changed')).toHaveLength(before);
      await lab.signedIn(application, { sub: '1', name: 'Bob', email: 'bob@example.com' });
      const entries = await auditEntries(lab.app, 'identity.person_changed');
      expect(entries.slice(before)).toMatchObject([{ userId: user.id, details: { provider: 'lab' } }]);
    });
  });

  describe('answers that are remembered', () => {
    const askedOf = async (policies: Record<string, unknown>) => {
      await addWith(policies);
      return lab.countAsked(application);
    };

    it('C-15 are refusals, for the seconds that were set', async () => {
      const count = await askedOf({ negative_cache_seconds: 30 });
      const refuse = () => lab.begin(application, { sub: 'ada' }, { key: 'another key' });
      for (let i = 0; i < 3; i += 1) expect(codeOf(await refuse())).toBe('401 invalid_credentials');
      expect(count()).toBe(1);
      lab.app.clock.advance({ seconds: 31 });
      await refuse();
      expect(count()).toBe(2);
    });

    it('C-17 are acceptances only where that was set', async () => {
      const count = await askedOf({});
      for (let i = 0; i < 3; i += 1) await lab.signedIn(application, { sub: 'ada' });
      expect(count()).toBe(3);
    });

    it('C-17 are acceptances for the seconds that were set, and a new definition forgets them', async () => {
      const count = await askedOf({ positive_cache_seconds: 60 });
      for (let i = 0; i < 3; i += 1) await lab.signedIn(application, { sub: 'ada' });
      expect(count()).toBe(1);
      const options = { key: 'another key of the lab' };
      const change = replacementSchema.parse({ options, policies: { positive_cache_seconds: 60 } });
      await lab.providers.replace(application.id, 'lab', change);
      expect(codeOf(await lab.begin(application, { sub: 'ada' }))).toBe('401 invalid_credentials');
    });
  });

  describe('passwords handed to the partner', () => {
    const signIn = (of: Application, password: string, login = 'ada') =>
      lab.api.send<Begun>('POST', '/v1/sessions', {
        as: of,
        body: { provider: 'password', credential: { login, password } },
      });
    const partnerPassword = labAssertion(LAB_KEY, { sub: 'ada at the partner' });
    const applicationWith = async (password_sign_in: string, fails?: 'down') => {
      application = await lab.app.createApplication({ password_sign_in });
      await lab.addProvider(application, { options: { key: LAB_KEY, ...(fails && { fails }) } });
      return (await lab.api.signUp(application, { login: 'ada' })).id;
    };

    it.each(['local,lab', 'lab,local'])('%s: either one lets somebody in', async (order) => {
      const localId = await applicationWith(order);
      const local = await signIn(application, PASSWORD);
      expect(local.body.session).toMatchObject({ user_id: localId, provider: 'password' });
      const foreign = await signIn(application, partnerPassword);
      expect(foreign.body.session.provider).toBe('lab');
      expect(foreign.body.session.user_id).not.toBe(localId);
      expect(codeOf(await signIn(application, 'neither of the two'))).toBe('401 invalid_credentials');
    });

    it('lab: passwords of the application lead nowhere', async () => {
      await applicationWith('lab');
      expect(codeOf(await signIn(application, PASSWORD))).toBe('401 invalid_credentials');
      expect(codeOf(await signIn(application, partnerPassword))).toBe('201');
    });

    it('local: no password leaves the house', async () => {
      await applicationWith('local');
      const count = await lab.countAsked(application);
      expect(codeOf(await signIn(application, partnerPassword))).toBe('401 invalid_credentials');
      expect(count()).toBe(0);
    });

    it.each(['local,lab', 'lab,local'])(
      '%s: while the partner is down, local users get in, others are told so, and guesses count',
      async (order) => {
        await applicationWith(order, 'down');
        expect(codeOf(await signIn(application, PASSWORD))).toBe('201');
        const guesses = [];
        for (let i = 0; i < 7; i += 1) guesses.push(codeOf(await signIn(application, `a guess ${i}`)));
        expect(guesses.slice(0, 6)).toEqual(Array(6).fill('503 identity_provider_unavailable'));
        expect(guesses[6]).toBe('429 too_many_requests');
      },
    );

    it('counts one try for each, however many judge it', async () => {
      await applicationWith('local,lab');
      for (let i = 0; i < 10; i += 1) expect(codeOf(await signIn(application, partnerPassword))).toBe('201');
      const guesses = [];
      for (let i = 0; i < 7; i += 1) guesses.push((await signIn(application, `a guess ${i}`)).status);
      expect(guesses).toEqual([401, 401, 401, 401, 401, 401, 429]);
    });

    it('is a fault of ours where the provider is gone or takes no passwords', async () => {
      application = await lab.app.createApplication({ password_sign_in: 'nobody' });
      expect(codeOf(await signIn(application, PASSWORD))).toBe('404 unknown_identity_provider');
      application = await lab.app.createApplication({ password_sign_in: 'facebook' });
      const options = { apps: { '1234567890123456': { app_secret: '1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a' } } };
      await lab.providers.create(
        application.id,
        definitionSchema.parse({ kind: 'facebook', slug: 'facebook', options }),
      );
      expect(codeOf(await signIn(application, PASSWORD))).toBe('503 identity_provider_misconfigured');
    });
  });
});
