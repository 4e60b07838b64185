import { VerifierKinds } from '../../../src/identity/verifier-kinds.js';
import { ProviderDirectory } from '../../../src/identity-providers/provider-directory.js';
import { IdentityProvidersService } from '../../../src/identity-providers/identity-providers.service.js';
import {
  definitionSchema,
  type ProviderDocument,
} from '../../../src/identity-providers/provider-definition.js';
import type { Application } from '../../../src/applications/application.js';
import { JobRegistry } from '../../../src/jobs/job-registry.js';
import { Transactions } from '../../../src/persistence/transactions.js';
import type { Answer, Begun } from '../api-client.js';
import type { DatabaseKind } from '../databases.js';
import { TestApp, type TestAppOptions } from '../test-app.js';
import { asked, labAssertion, LabKind, type LabClaims } from './lab-kind.js';

export const LAB_KEY = 'the key of the lab';

/** A server with the lab's kind of provider, and what tests do with it. */
export class Lab {
  private constructor(readonly app: TestApp) {}

  static async start(kind: DatabaseKind, options: TestAppOptions = {}): Promise<Lab> {
    const app = await TestApp.start(kind, options);
    app.app.get(VerifierKinds, { strict: false }).register(new LabKind(() => app.clock.now()));
    return new Lab(app);
  }

  get api() {
    return this.app.api;
  }

  get providers(): IdentityProvidersService {
    return this.app.app.get(IdentityProvidersService, { strict: false });
  }

  /** A provider of the lab, named `lab` and with the lab's key unless told otherwise. */
  addProvider(application: Application, definition: Record<string, unknown> = {}): Promise<ProviderDocument> {
    return this.providers.create(
      application.id,
      definitionSchema.parse({ kind: 'lab', slug: 'lab', options: { key: LAB_KEY }, ...definition }),
    );
  }

  /** How often a provider of the lab is asked from now on. */
  async countAsked(application: Application, slug = 'lab'): Promise<() => number> {
    const directory = this.app.app.get(ProviderDirectory, { strict: false });
    const { ref } = await directory.open(application.id, slug);
    const before = asked.get(ref.id) ?? 0;
    return () => (asked.get(ref.id) ?? 0) - before;
  }

  /** What somebody presents to be signed in. */
  presented(claims: LabClaims, { provider = 'lab', key = LAB_KEY } = {}) {
    return { provider, credential: { assertion: labAssertion(key, claims) } };
  }

  /** Begins a session; what comes of it is the caller's to judge. */
  begin(application: Application, claims: LabClaims, of?: { provider?: string; key?: string }) {
    const body = this.presented(claims, of);
    return this.api.send<Begun>('POST', '/v1/sessions', { as: application, body });
  }

  async signedIn(application: Application, claims: LabClaims, of?: { provider?: string; key?: string }) {
    const answer = await this.begin(application, claims, of);
    if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`);
    return { ...answer.body, user: answer.body.user! };
  }

  link(
    token: string,
    claims: LabClaims,
    of?: { provider?: string; key?: string },
  ): Promise<Answer<LinkAnswer>> {
    const body = this.presented(claims, of);
    return this.api.send<LinkAnswer>('POST', '/v1/users/me/identities', { as: token, body });
  }

  identities(token: string): Promise<Answer<{ items: { id: number; provider: string; subject: string }[] }>> {
    return this.api.get('/v1/users/me/identities', token);
  }

  /** One batch of a job, as its turn comes. */
  async runJob(name: string): Promise<void> {
    const job = this.app.app.get(JobRegistry, { strict: false }).find(name)!;
    await this.app.app.get(Transactions, { strict: false }).run(() => job.runBatch(null));
  }

  stop(): Promise<void> {
    return this.app.stop();
  }
}

export interface LinkAnswer {
  readonly identity: { readonly id: number; readonly provider: string; readonly subject: string };
  readonly code?: string;
}
