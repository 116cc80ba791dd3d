import { BLOCK_HEADER_BYTES } from "./block.ts";
import {
  encodeKeys,
  encodeSettled,
  messageBytes,
  type MessageRecord,
  RANGE_LENGTH_AT,
  writeMessage,
} from "./record.ts";

const CAPACITY_MIN = 64 * 1_024;

/** A block that is being filled: what is appended while the one before it is on its way to the disk. */
export class BlockBuilder {
  readonly segment: number;
  readonly salt: number;
  /** Of its header, in the segment. */
  readonly position: number;
  /** What is to be told when it is on disk. */
  readonly callbacks: (() => void)[] = [];
  /** Whether somebody waits for it to be on disk, or it has more than settlements. */
  isUrgent = false;
  /** How often it was written without a sync. */
  notes = 0;
  /** Rises whenever it has more, or other, bytes. */
  changes = 0;
  #bytes: Buffer;
  #length = BLOCK_HEADER_BYTES;
  /** The last record that says what is settled, while it may grow. */
  #run: { readonly address: number; readonly subscription: number; readonly at: number; next: number } | null = null;

  /** @param buffer of a block that is written, to be used again; null for one of its own. */
  constructor(
    place: { readonly segment: number; readonly salt: number; readonly position: number },
    buffer: Buffer | null,
  ) {
    this.segment = place.segment;
    this.salt = place.salt;
    this.position = place.position;
    this.#bytes = buffer ?? Buffer.allocUnsafeSlow(CAPACITY_MIN);
  }

  get length(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === BLOCK_HEADER_BYTES;
  }

  /** What has been written so far, with room for the header in front. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What it is filled into, for the next one. */
  get buffer(): Buffer {
    return this.#bytes;
  }

  /** @returns where the record is. */
  message(record: MessageRecord): { readonly offset: number; readonly length: number } {
    const keys = encodeKeys(record.keys);
    const at = this.#length;
    this.#reserve(messageBytes(record.payload.length, keys.length));
    this.#length = writeMessage(this.#bytes, at, record, keys);
    return { offset: this.position + at, length: this.#length - at };
  }

  /** Notes that a message is settled, in the previous record where that has room for it. */
  settled(address: number, subscription: number, sequence: number): void {
    this.changes++;
    const run = this.#run;
    if (run !== null && run.address === address && run.subscription === subscription && run.next === sequence) {
      run.next++;
      const at = run.at + RANGE_LENGTH_AT;
      this.#bytes.writeUInt32LE(this.#bytes.readUInt32LE(at) + 1, at);
      return;
    }
    const at = this.#length;
    this.record(encodeSettled(address, subscription, [{ from: sequence, length: 1 }]));
    this.#run = { address, subscription, at, next: sequence + 1 };
  }

  /** What is settled from now on may be a message that this block has, and so comes after it. */
  endRun(): void {
    this.#run = null;
  }

  record(bytes: Buffer): void {
    this.#run = null;
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
