import { Injectable } from '@nestjs/common';
import type { VerifierKind } from './verifier-kind.js';

/** The kinds of identity providers there are. Feature modules register theirs at start; `session` meets them here. */
@Injectable()
export class VerifierKinds {
  private readonly kinds = new Map<string, VerifierKind>();

  /**
   * @throws Error for a second kind of that name or reserved slug: one of them would silently judge the other's tokens;
   *   and for a kind that does not open verifiers or parse definitions: no definition of it may ever be taken.
   */
  register<Options>(kind: VerifierKind<Options>): void {
    if (typeof kind.open !== 'function' || typeof kind.optionsSchema?.safeParse !== 'function') {
      throw new Error(`the verifier kind "${kind.kind}" verifies nothing`);
    }
    const clash = [...this.kinds.values()].find(
      (other) =>
        other.kind === kind.kind || (kind.reservedSlug !== null && other.reservedSlug === kind.reservedSlug),
    );
    if (clash) throw new Error(`the verifier kind "${kind.kind}" clashes with "${clash.kind}"`);
    this.kinds.set(kind.kind, kind);
  }

  find(kind: string): VerifierKind | undefined {
    return this.kinds.get(kind);
  }

  all(): readonly VerifierKind[] {
    return [...this.kinds.values()];
  }
}
