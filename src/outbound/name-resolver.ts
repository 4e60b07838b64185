import { lookup, type LookupAddress } from 'node:dns';
import { Injectable } from '@nestjs/common';

export type Family = 0 | 4 | 6;

/** Host names, as this machine resolves them. Tests put names of their own in its place, and ask no DNS server. */
@Injectable()
export class NameResolver {
  private readonly underWay = new Map<string, Promise<readonly LookupAddress[]>>();

  /**
   * One question at a time for each name: the machine's resolver has few threads, which password hashing needs too, and
   * connections to a name whose server is silent would otherwise take them all.
   *
   * @param family 4 or 6, where only such addresses are wanted; 0: both.
   * @throws the resolver's error when there is no such name or nobody who knows it.
   */
  resolve(name: string, family: Family = 0): Promise<readonly LookupAddress[]> {
    const key = `${family} ${name}`;
    let question = this.underWay.get(key);
    if (!question) {
      question = ask(name, family).finally(() => this.underWay.delete(key));
      this.underWay.set(key, question);
    }
    return question;
  }
}

function ask(name: string, family: Family): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(name, { family, all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}
