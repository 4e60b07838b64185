import { randomUUID } from 'node:crypto';
import type { App, AppOptions } from 'firebase-admin/app';
import type { Auth } from 'firebase-admin/auth';
import type { ProviderRef } from '../../identity/verified-identity.js';

/** Providers beyond that share by turns: the one that was asked least recently has to fetch its certificates anew. */
const MAX_APPS = 500;

interface HeldApp {
  readonly app: App;
  readonly version: number;
  readonly remove: () => Promise<void>;
  uses: number;
  retired: boolean;
}

/**
 * The library's "apps": one for each provider instance, of its latest version, by a name that nobody else has. The
 * library keeps them in a register of the process until they are deleted, so what a new version replaces is deleted
 * once nobody waits for it.
 */
export class FirebaseApps {
  private readonly held = new Map<number, HeldApp>();
  /** Two of these may live in one process, and know instances by the same numbers. */
  private readonly prefix = randomUUID();

  /** @param work is given the instance's `Auth`. */
  async use<T>(ref: ProviderRef, options: AppOptions, work: (auth: Auth) => Promise<T>): Promise<T> {
    // Half a second and some megabytes: only where there is a Firebase provider.
    const [{ initializeApp, deleteApp }, { getAuth }] = await Promise.all([
      import('firebase-admin/app'),
      import('firebase-admin/auth'),
    ]);
    const start = () => initializeApp(options, `${this.prefix} ${ref.id} v${ref.version}`);
    const held = this.find(ref) ?? this.keep(ref, start(), deleteApp);
    held.uses += 1;
    try {
      return await work(getAuth(held.app));
    } finally {
      held.uses -= 1;
      await removeWhereUnused(held);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.held.keys()].map((id) => this.retire(id)));
  }

  private find({ id, version }: ProviderRef): HeldApp | undefined {
    const held = this.held.get(id);
    if (held?.version !== version) return undefined;
    this.held.delete(id);
    this.held.set(id, held);
    return held;
  }

  private keep({ id, version }: ProviderRef, app: App, deleteApp: (app: App) => Promise<void>): HeldApp {
    void this.retire(id);
    if (this.held.size >= MAX_APPS) void this.retire(this.held.keys().next().value!);
    const held: HeldApp = { app, version, remove: () => deleteApp(app), uses: 0, retired: false };
    this.held.set(id, held);
    return held;
  }

  private async retire(id: number): Promise<void> {
    const held = this.held.get(id);
    if (!held) return;
    this.held.delete(id);
    held.retired = true;
    await removeWhereUnused(held);
  }
}

async function removeWhereUnused(held: HeldApp): Promise<void> {
  if (held.retired && held.uses === 0) await held.remove();
}
