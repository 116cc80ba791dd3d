import { COPIED_BYTES_MAX } from "@datawire/amqp";
import { BlockBuilder } from "./block-builder.ts";
import type { BlockPlace } from "./block.ts";
import { ByteCache } from "./byte-cache.ts";

const READ_CACHE_BYTES = 4 * 2 ** 20;

/**
 * The part of the log that is in memory: blocks on their way to the disk, what was just written, and what was read
 * ahead.
 */
export class BlockMemory {
  readonly #copiedMax: number;
  readonly #written: ByteCache;
  readonly #read = new ByteCache(READ_CACHE_BYTES);
  /** Those that are being filled or written, in their order. */
  readonly #blocks: BlockBuilder[] = [];
  /** Of blocks that are written, for the next ones. */
  readonly #spare: Buffer[] = [];

  /** @param cacheBytes how much of what was just written stays. */
  constructor(cacheBytes: number) {
    this.#copiedMax = Math.min(COPIED_BYTES_MAX, cacheBytes / 2);
    this.#written = new ByteCache(cacheBytes);
  }

  /** Begins a block. */
  begin(place: BlockPlace): BlockBuilder {
    const block = new BlockBuilder(place, this.#spare.pop() ?? null);
    this.#blocks.push(block);
    return block;
  }

  /** Keeps a block, which does not change any more. */
  sealed({ segment, position, bytes }: BlockBuilder): void {
    if (bytes.length <= this.#copiedMax) this.#written.copy(segment, position, bytes);
    else this.#written.add(segment, position, bytes);
  }

  /** A block is on disk. */
  written(block: BlockBuilder): void {
    this.#blocks.splice(this.#blocks.indexOf(block), 1);
    if (block.length <= this.#copiedMax) this.#spare.push(block.buffer);
  }

  /** Keeps what was read from disk. */
  readAhead(segment: number, offset: number, bytes: Buffer): void {
    this.#read.add(segment, offset, bytes);
  }

  /** The bytes of a message, good until the next block is begun; null where they are not in memory. */
  find(segment: number, offset: number, length: number): Buffer | null {
    return (
      this.#written.find(segment, offset, length) ??
      this.#read.find(segment, offset, length) ??
      this.unwritten(segment, offset, length)
    );
  }

  /** The same of a message that is not on disk where it is moved to; it was safe before. */
  unwritten(segment: number, offset: number, length: number): Buffer | null {
    for (const block of this.#blocks) {
      const at = offset - block.position;
      if (block.segment === segment && at >= 0 && at + length <= block.length)
        return block.bytes.subarray(at, at + length);
    }
    return null;
  }

  /** A segment is no more. */
  forget(segment: number): void {
    this.#written.forget(segment);
    this.#read.forget(segment);
  }
}
