import { BLOCK_HEADER_BYTES, decodeBlockHeader, findBlockMagic, isBodyWhole, SEGMENT_HEADER_BYTES } from "./block.ts";
import type { DiskFile } from "../disk/disk.ts";

const WINDOW_BYTES = 4 * 2 ** 20;

/** What a segment has: a block that is whole, or bytes that are none. */
export type Found =
  | { readonly found: "block"; readonly position: number; readonly body: Buffer }
  /** Up to the next block, or to the end of the file. */
  | { readonly found: "damage"; readonly position: number; readonly length: number; readonly isTail: boolean };

/**
 * What segments are read into, one after the other: a new buffer for each piece would leave holes in the memory. It is as large
 * as what is read: whoever opens a short log a thousand times, as tests do, would otherwise clear 4 MiB each time.
 */
export class ScanBuffer {
  #bytes: Buffer = Buffer.alloc(0);

  take(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
    return this.#bytes;
  }
}

/** A file read through a window that moves over it. */
class Window {
  readonly #file: DiskFile;
  readonly #scratch: ScanBuffer;
  readonly size: number;
  #bytes: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(file: DiskFile, size: number, scratch: ScanBuffer) {
    this.#file = file;
    this.#scratch = scratch;
    this.size = size;
  }

  /** Fewer bytes than asked for at the end of the file. */
  async at(position: number, length: number): Promise<Buffer> {
    const begin = position - this.#position;
    if (begin >= 0 && begin + length <= this.#bytes.length) return this.#bytes.subarray(begin, begin + length);
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.size - position);
    const bytes = await this.#file.read(position, wanted, this.#scratch.take(wanted));
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#position = position;
    return this.#bytes.subarray(0, length);
  }

  /** The first place from `position` on that a block may begin at; the size for none. */
  async find(position: number): Promise<number> {
    for (let from = position; from < this.size;) {
      const bytes = await this.at(from, Math.min(WINDOW_BYTES, this.size - from));
      const index = findBlockMagic(bytes, 0);
      if (index !== -1) return from + index;
      from += Math.max(1, bytes.length - 3);
      if (bytes.length < 4) break;
    }
    return this.size;
  }
}

/**
 * Goes over the blocks of a segment, in order; what is not whole is told and stepped over. A body is valid until the next
 * is asked for.
 */
export async function* scanSegment(
  file: DiskFile,
  { segment, salt }: { readonly segment: number; readonly salt: number },
  scratch = new ScanBuffer(),
): AsyncGenerator<Found> {
  const window = new Window(file, await file.size(), scratch);
  const blockAt = async (position: number): Promise<Buffer | null> => {
    const header = decodeBlockHeader(await window.at(position, BLOCK_HEADER_BYTES), { segment, salt, position });
    if (header === null || header.bodyLength > window.size - position - BLOCK_HEADER_BYTES) return null;
    const body = await window.at(position + BLOCK_HEADER_BYTES, header.bodyLength);
    return body.length === header.bodyLength && isBodyWhole(body, header, salt) ? body : null;
  };
  let damagedFrom: number | null = null;
  let position = SEGMENT_HEADER_BYTES;
  while (position < window.size) {
    const body = await blockAt(position);
    if (body === null) {
      damagedFrom ??= position;
      position = await window.find(position + 1);
      continue;
    }
    if (damagedFrom !== null)
      yield { found: "damage", position: damagedFrom, length: position - damagedFrom, isTail: false };
    damagedFrom = null;
    yield { found: "block", position, body };
    position += BLOCK_HEADER_BYTES + body.length;
  }
  if (damagedFrom !== null)
    yield { found: "damage", position: damagedFrom, length: window.size - damagedFrom, isTail: true };
}
