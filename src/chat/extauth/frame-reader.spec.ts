import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrameReader } from './frame-reader.js';

function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([length, body]);
}

const bodies = fc.array(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  {
    maxLength: 20,
  },
);

describe('FrameReader', () => {
  it('gives back the frames, however they are cut and joined', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 50 })), (sent, sizes) => {
        const reader = new FrameReader();
        const got: Buffer[] = [];
        let bytes = Buffer.concat(sent.map(framed));
        for (let i = 0; bytes.length > 0; i += 1) {
          const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
          got.push(...reader.push(bytes.subarray(0, size)));
          bytes = bytes.subarray(size);
        }
        expect(got.map((frame) => frame.toString('hex'))).toEqual(sent.map((body) => body.toString('hex')));
      }),
    );
  });

  it('takes a frame of the greatest length', () => {
    const body = Buffer.alloc(65_535, 'x');
    expect(new FrameReader().push(framed(body))).toEqual([body]);
  });

  it('gives nothing of a frame that is not whole', () => {
    const reader = new FrameReader();
    expect(reader.push(Buffer.from([0]))).toEqual([]);
    expect(reader.push(Buffer.from([3, 97, 98]))).toEqual([]);
    expect(reader.push(Buffer.from([99, 0]))).toEqual([Buffer.from('abc')]);
  });
});
