import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import type { IdentityVerifier } from '../../src/identity/identity-verifier.js';
import type { VerifiedIdentity } from '../../src/identity/verified-identity.js';
import { BrokerError } from '../../src/errors/broker-error.js';

/** What a kind of provider shows to the promises that every verifier makes. */
export interface VerifierHarness {
  /** A verifier of the provider's one instance, beside a stand-in that answers as the real service does. */
  readonly verifier: IdentityVerifier;
  /** A fresh and valid credential of this person; the same person for the same name. */
  credentialOf(person: string): Promise<unknown>;
  /** Credentials by the names that the suite was given, each for one way to be refused. */
  refused(name: string): Promise<unknown>;
  /** From now on the provider cannot be reached, until `comeBack`. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  /** From now on the provider accepts connections and says nothing, until `comeBack`; null where it is not dialled. */
  readonly stall: (() => Promise<void>) | null;
  /** From now on the provider answers 200 with what is not an answer, until `comeBack`; null where it is not dialled. */
  readonly talkRubbish: (() => Promise<void>) | null;
  /** A verifier whose provider has an address that may not be dialled; null where addresses are not configurable. */
  readonly verifierOfRefusedAddress: IdentityVerifier | null;
  /** Secrets of the definition, which nothing thrown may hold. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

/**
 * The promises of `IdentityVerifier`.
 *
 * @param kind its kind, by which `harnesses.spec.ts` knows that it has a suite. @param refusals names for `harness.refused`.
 */
export function describeIdentityVerifier(
  kind: string,
  setUp: () => Promise<VerifierHarness>,
  refusals: readonly string[],
): void {
  describe(`the verifier contract: ${kind}`, () => {
    let harness: VerifierHarness;
    beforeAll(async () => {
      harness = await setUp();
    }, 120_000);
    afterAll(() => harness?.close());
    beforeEach(() => harness.comeBack());

    const verify = (credential: unknown, verifier = harness.verifier, signal = AbortSignal.timeout(10_000)) =>
      verifier.verify(verifier.credentialSchema.parse(credential), { signal });

    it('gives one person the same provider and subject every time', async () => {
      const first = await verify(await harness.credentialOf('ada'));
      const second = await verify(await harness.credentialOf('ada'));
      expect(account(second)).toEqual(account(first));
      expect(first.subject).toMatch(/^.{1,255}$/u);
      expect(first.authTime).toBeInstanceOf(Date);
    });

    it('gives two people two subjects', async () => {
      const [ada, bob] = [await harness.credentialOf('ada'), await harness.credentialOf('bob')];
      expect((await verify(ada)).subject).not.toBe((await verify(bob)).subject);
    });

    it('A-16 takes no identity from beside the token', async () => {
      const credential = (await harness.credentialOf('ada')) as object;
      for (const field of ['uid', 'id', 'user_id', 'subject', 'email']) {
        const parsed = harness.verifier.credentialSchema.safeParse({ ...credential, [field]: '1' });
        expect({ field, accepted: parsed.success }).toEqual({ field, accepted: false });
      }
    });

    it.each(['', null, undefined, 7, [], {}, { access_token: {} }, { id_token: ['x'] }])(
      'takes %j for no credential',
      (value) => {
        expect(harness.verifier.credentialSchema.safeParse(value).success).toBe(false);
      },
    );

    it.each(refusals)('refuses %s as invalid_credentials', async (name) => {
      const credential = await harness.refused(name);
      const error = await thrownBy(verify(credential));
      expect(error.code).toBe('invalid_credentials');
      expectToHoldNothing(error, credential, harness.secrets);
    });

    it('blames the provider when the provider is down', async () => {
      const credential = await harness.credentialOf('ada');
      await harness.goDown();
      const outcome = verify(credential);
      // A provider whose keys are at hand need not be asked.
      if (harness.stall === null) return void (await outcome.catch((error: unknown) => expectBlame(error)));
      const error = await thrownBy(outcome);
      expect(error.code).toBe('identity_provider_unavailable');
      expectToHoldNothing(error, credential, harness.secrets);
    });

    it('blames the provider when it talks rubbish', async () => {
      if (!harness.talkRubbish) return;
      const credential = await harness.credentialOf('ada');
      await harness.talkRubbish();
      const error = await thrownBy(verify(credential));
      expect(error.code).toBe('identity_provider_unavailable');
      expectToHoldNothing(error, credential, harness.secrets);
    });

    it('stops when the signal aborts', async () => {
      if (!harness.stall) return;
      const credential = await harness.credentialOf('ada');
      await harness.stall();
      const controller = new AbortController();
      const outcome = thrownBy(verify(credential, harness.verifier, controller.signal));
      controller.abort();
      expect((await outcome).code).toBe('identity_provider_unavailable');
    });

    it('refuses a private address', async () => {
      if (!harness.verifierOfRefusedAddress) return;
      const credential = await harness.credentialOf('ada');
      const error = await thrownBy(verify(credential, harness.verifierOfRefusedAddress));
      expect(error.code).toBe('identity_provider_unavailable');
    });
  });
}

function account({ provider, subject }: VerifiedIdentity) {
  return { provider, subject };
}

async function thrownBy(outcome: Promise<unknown>): Promise<BrokerError> {
  const error = await outcome.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BrokerError);
  return error as BrokerError;
}

function expectBlame(error: unknown): void {
  expect((error as BrokerError).code).toBe('identity_provider_unavailable');
}

/** Not in the error, and not in its causes either, which a log may print. */
function expectToHoldNothing(error: BrokerError, credential: unknown, secrets: readonly string[]): void {
  const shown = inspect(error, { depth: 12, showHidden: true, maxStringLength: null });
  const given = Object.values(credential as Record<string, unknown>).filter(
    (value): value is string => typeof value === 'string' && value.length > 12,
  );
  for (const secret of [...given, ...secrets]) expect(shown).not.toContain(secret);
}
