import { crc32 } from "node:zlib";
import type { SharedBytes } from "./event.ts";

/** The bytes of one body, made of what many share. */
export interface Body {
  /** What is sent for the next of it. */
  next(part: SharedBytes): Buffer;
  /** What is sent at its end. */
  end(): Buffer;
}

/** A body as it is. */
export const plainBody = (): Body => ({ next: ({ plain }) => plain, end: () => NOTHING });

const NOTHING = Buffer.alloc(0);
/** RFC 1952, section 2.3: deflate, no time, no name, the fastest, of any system. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);
/** The last block, which is empty. */
const LAST_BLOCK = Buffer.from([3, 0]);

/** A body in gzip: of its own it has but the head and the sums at the end, so that to pack for a hundred costs what one does. */
export function gzipBody(): Body {
  let head = HEAD;
  let sum = 0;
  let size = 0;
  return {
    next(part) {
      sum = crc32(part.plain, sum);
      size = (size + part.plain.length) >>> 0;
      const before = head;
      head = NOTHING;
      return before.length === 0 ? part.packed : Buffer.concat([before, part.packed]);
    },
    end() {
      const sums = Buffer.alloc(8);
      sums.writeUInt32LE(sum, 0);
      sums.writeUInt32LE(size, 4);
      return Buffer.concat([head, LAST_BLOCK, sums]);
    },
  };
}
