import { ApplicationRepository } from '../../src/applications/application.repository.js';
import { UserRepository } from '../../src/accounts/user.repository.js';
import { toIdentifiers, type Identifiers } from '../../src/accounts/identifiers.js';
import { KeyRing, newMasterKey } from '../../src/secrets/key-ring.js';
import type { Secrets } from '../../src/secrets/secrets.js';
import { SessionRepository } from '../../src/session/session.repository.js';
import type { Session } from '../../src/session/session.js';
import { ManualClock } from './manual-clock.js';
import type { TestStores } from './test-stores.js';

/** Repositories on one database, and rows to try them on. Defaults are dull, so that what is written is what matters. */
export class Rows {
  readonly clock = new ManualClock();
  readonly ring = new KeyRing([newMasterKey()]);
  readonly applications: ApplicationRepository;
  readonly users: UserRepository;
  readonly sessions: SessionRepository;
  private count = 0;

  constructor(private readonly open: TestStores) {
    const { transactions } = open;
    this.applications = new ApplicationRepository(transactions, this.ring as unknown as Secrets, this.clock);
    this.users = new UserRepository(transactions, this.clock);
    this.sessions = new SessionRepository(transactions);
  }

  anApplication() {
    this.count += 1;
    const authKey = `ak_${this.count}`;
    return this.run(() => this.applications.insert({ name: 'Test', authKey, authSecret: `as_${authKey}` }));
  }

  aUser(applicationId: number, identifiers: Identifiers = {}) {
    const user = { identifiers: toIdentifiers(identifiers), profile: {}, passwordHash: 'phc', guest: false };
    return this.run(() => this.users.insert({ applicationId, ...user }));
  }

  async aSession(
    applicationId: number,
    userId: number | null,
    facts: Partial<Session> = {},
  ): Promise<Session> {
    this.count += 1;
    const now = this.clock.now();
    const session = {
      applicationId,
      userId,
      kind: userId === null ? ('application' as const) : ('user' as const),
      provider: userId === null ? null : 'password',
      amr: userId === null ? [] : ['pwd'],
      authTime: userId === null ? null : now,
      tokenHash: `hash-${this.count}`,
      createdAt: now,
      startedAt: now,
      lastUsedAt: now,
      idleSeconds: 7200,
      absoluteExpiresAt: now + 86_400_000,
      ...facts,
    };
    return { ...session, id: await this.run(() => this.sessions.insert(session)) };
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.open.transactions.run(work);
  }
}
