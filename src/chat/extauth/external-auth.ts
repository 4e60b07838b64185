import type { Readable, Writable } from 'node:stream';
import { FrameReader } from './frame-reader.js';
import { toQuestion, type Question } from './question.js';

/** Questions that are asked at the broker at the same time; further ones wait in the pipe. */
const AT_ONCE = 64;

const YES = Buffer.from([0, 2, 0, 1]);
const NO = Buffer.from([0, 2, 0, 0]);

/**
 * Answers an XMPP server's questions until it has no more: one answer to each, in their order, whatever order they are decided
 * in. What is no question gets a no, for an unanswered frame would shift all answers after it to the wrong questions.
 *
 * @param ask says yes or no; must not throw.
 */
export async function answerQuestions(
  input: Readable,
  output: Writable,
  ask: (question: Question) => Promise<boolean>,
): Promise<void> {
  const reader = new FrameReader();
  const underWay: Promise<void>[] = [];
  let written: Promise<void> = Promise.resolve();
  for await (const chunk of input as AsyncIterable<Buffer>) {
    for (const frame of reader.push(chunk)) {
      const question = toQuestion(frame);
      const answer = question === null ? Promise.resolve(false) : ask(question);
      written = written.then(async () => void output.write((await answer) ? YES : NO));
      underWay.push(written);
      if (underWay.length >= AT_ONCE) await underWay.shift();
    }
  }
  await written;
}
