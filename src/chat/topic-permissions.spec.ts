import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  mayUseTopic,
  nameMatches,
  patternFor,
  topicOfRoutingKey,
  type TopicAct,
} from './topic-permissions.js';

const person = { userId: 101, applicationId: 7 };
const may = (rule: string, act: TopicAct, topic: string, isShared = false) =>
  mayUseTopic({ read: [rule], write: [rule] }, person, act, topic, isShared);

describe(mayUseTopic, () => {
  it.each<[string, TopicAct, string]>([
    ['#', 'read', '#'],
    ['#', 'write', 'a/b/c'],
    ['a/#', 'read', 'a'],
    ['a/#', 'read', 'a/+/c/#'],
    ['a/+', 'read', 'a/+'],
    ['a/+', 'write', 'a/b'],
    ['+/b', 'read', 'a/b'],
    ['u/{user_id}/#', 'write', 'u/101/x'],
    ['{username}', 'read', '101-7'],
    ['{app_id}/+', 'read', '7/x'],
    ['a/b', 'read', '$share/group/a/b'],
    ['$SYS/broker', 'read', '$SYS/broker'],
    ['a//b', 'write', 'a//b'],
  ])('lets the rule %j %s %j', (rule, act, topic) => {
    expect(may(rule, act, topic)).toBe(true);
  });

  it.each<[string, TopicAct, string]>([
    ['a/+', 'read', 'a/#'],
    ['a/+', 'read', '#'],
    ['a/+', 'read', 'a/b/c'],
    ['a/+', 'read', 'a'],
    ['a/b', 'read', 'a/+'],
    ['+/b', 'read', '#'],
    ['u/{user_id}/#', 'write', 'u/1010/x'],
    ['u/{user_id}/#', 'read', 'u/+/x'],
    ['#', 'write', 'a/+'],
    ['#', 'write', 'a/#'],
    ['#', 'read', 'a/b#'],
    ['#', 'read', ''],
    ['#', 'read', 'a\0b'],
    ['#', 'read', '$SYS/broker'],
    ['+/broker', 'read', '$SYS/broker'],
    ['a/b', 'write', '$share/group/a/b'],
    ['a/b', 'read', '$share/+/a/b'],
    ['#', 'read', Array(200).fill('a').join('/')],
  ])('does not let the rule %j %s %j', (rule, act, topic) => {
    expect(may(rule, act, topic)).toBe(false);
  });

  it('keeps applications that share a chat server apart', () => {
    expect(may('#', 'read', '7/rooms', true)).toBe(true);
    expect(may('#', 'read', '8/rooms', true)).toBe(false);
    expect(may('#', 'read', '#', true)).toBe(false);
    expect(may('u/{username}/#', 'read', 'u/101-7/x', true)).toBe(true);
  });

  it('covers every topic that a covered filter stands for', () => {
    const level = fc.constantFrom('a', 'b', '', '+');
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'));
    const topic = fc
      .array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 6 })
      .map((l) => l.join('/'));
    fc.assert(
      fc.property(filter, filter, topic, (rule, asked, told) => {
        const isCovered = may(rule, 'read', asked) && may(asked, 'read', told);
        expect(!isCovered || may(rule, 'read', told)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe(topicOfRoutingKey, () => {
  it('reads dots as slashes and one word as one level', () => {
    expect(topicOfRoutingKey('a.*.b.#')).toBe('a/+/b/#');
  });

  it('lets no binding in by a wildcard in the middle', () => {
    expect(may('a/+/b', 'read', topicOfRoutingKey('a.#.b'))).toBe(false);
    expect(may('a/#', 'read', topicOfRoutingKey('a.#.b'))).toBe(true);
  });
});

describe(nameMatches, () => {
  it.each([
    ['amq.gen-*', 'amq.gen-x', true],
    ['amq.gen-*', 'amq.gen-', true],
    ['amq.gen-*', 'xamq.gen-x', false],
    ['*', '', true],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'ac', false],
    ['a*a', 'a', false],
    ['a.b', 'aXb', false],
    ['a*b*b', 'ab', false],
  ])('says whether %j is %j', (pattern, name, expected) => {
    expect(nameMatches(pattern, name)).toBe(expected);
  });
});

describe(patternFor, () => {
  it('puts each of the placeholders in, wherever it stands', () => {
    expect(patternFor('{user_id}/{app_id}/{username}/{user_id}', person)).toBe('101/7/101-7/101');
  });
});
