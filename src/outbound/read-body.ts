import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { NoAnswerError } from './outbound-errors.js';

interface Answer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/**
 * The whole body, decompressed.
 *
 * @throws NoAnswerError past `maxBytes`, counted after decompression, so that a small answer cannot become a large one; and
 *   for encodings that were not asked for.
 */
export async function readBody({ headers, body }: Answer, maxBytes: number): Promise<Buffer> {
  // A body that is given up reports that as an error, and an error that nobody listens for ends the process.
  body.on('error', () => undefined);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    body.destroy();
    throw new NoAnswerError('the answer has an encoding that was not asked for');
  }
  const readable = encoding === 'gzip' ? inflated(body) : body;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of readable as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new NoAnswerError('the answer is too long');
      chunks.push(chunk);
    }
  } finally {
    body.destroy();
  }
  return Buffer.concat(chunks, length);
}

function inflated(body: Readable): Readable {
  const gunzip = createGunzip();
  body.on('error', (error) => gunzip.destroy(error));
  return body.pipe(gunzip);
}
