const LENGTH_BYTES = 2;

/**
 * Takes apart what an XMPP server writes to an external authentication program: frames of a 16-bit big-endian length and that
 * many bytes (ejabberd, "Developers guide: external authentication"). Frames arrive cut and joined as pipes do it.
 */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  /** @returns the frames that this chunk completes, in order. What is begun waits for more; it is never above 64 kB. */
  push(chunk: Buffer): Buffer[] {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const frames: Buffer[] = [];
    while (bytes.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + bytes.readUInt16BE(0);
      if (bytes.length < end) break;
      frames.push(bytes.subarray(LENGTH_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.rest = bytes;
    return frames;
  }
}
