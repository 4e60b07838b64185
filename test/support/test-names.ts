import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { NameResolver, type Family } from '../../src/outbound/name-resolver.js';

/** Names that lead where a test says, and no others: no DNS server is asked. */
export class TestNames extends NameResolver {
  /** The names that were asked for, in turn. */
  readonly asked: string[] = [];
  private readonly known = new Map<string, string[][]>([['localhost', [['127.0.0.1']]]]);
  private readonly silent = new Set<string>();

  /** Each answer is given once, the last one for ever. */
  set(name: string, ...answers: string[][]): this {
    this.known.set(name, answers);
    return this;
  }

  /** From now on nobody answers for this name. */
  stall(name: string): this {
    this.silent.add(name);
    return this;
  }

  override resolve(name: string, family: Family = 0): Promise<readonly LookupAddress[]> {
    this.asked.push(name);
    const plain = name.replace(/\.$/, '').toLowerCase();
    if (this.silent.has(plain)) return new Promise(() => undefined);
    const answers = this.known.get(plain) ?? [];
    const addresses = answers.length > 1 ? answers.shift()! : (answers[0] ?? []);
    const found = addresses
      .map((address) => ({ address, family: isIP(address.replace(/%.*$/, '')) }))
      .filter((entry) => family === 0 || entry.family === family);
    if (found.length > 0) return Promise.resolve(found);
    const failure = { code: 'ENOTFOUND', syscall: 'getaddrinfo' };
    return Promise.reject(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), failure));
  }
}
