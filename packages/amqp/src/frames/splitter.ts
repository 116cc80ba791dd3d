import { CONDITION, WireFailure } from "../types/conditions.ts";
import { HEADER_BYTES } from "./protocol-header.ts";

/** What begins each frame: size, offset of the data, type, channel. */
const FRAME_HEADER_BYTES = 8;
const DATA_OFFSET_MIN = 2;
const NOTHING = new Uint8Array(0);
/** A frame in pieces gets room as its bytes come: its size is only what the peer says. */
const ROOM_MIN = 256;

/** The types of frames. */
export const FRAME_TYPE = { amqp: 0, sasl: 1 } as const;

/**
 * Finds protocol headers and frames in bytes that come in pieces of any size. After `push`, `next` goes to one after the
 * other; `bytes`, `start` and `end` then say where its body is. A frame within one piece is not copied.
 */
export class FrameSplitter {
  /** Whether a protocol header comes next, or a frame. */
  expectHeader = true;
  /** Larger frames are a framing error. */
  frameBytesMax: number;
  /** What that bound is called, in parentheses; empty for nothing. */
  boundName = "";
  /** Of what `next` found: the protocol header, or the body of the frame. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** Of the whole frame, with its header. */
  size = 0;
  /** Of the frame that `next` found. */
  type = 0;
  channel = 0;

  #piece: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a frame of which the rest is not there yet. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Gives the next piece; the one before must have been used up by `next`. */
  push(piece: Uint8Array): void {
    this.#piece = piece;
    this.#at = 0;
  }

  /** What is left of the piece, which is then used up: a copy. */
  rest(): Uint8Array {
    const rest = this.#piece.slice(this.#at);
    this.#at = this.#piece.length;
    return rest;
  }

  /** Goes to the next protocol header or frame. False where it is not there as a whole. Throws `WireFailure`. */
  next(): boolean {
    if (this.#heldBytes > 0) return this.#nextHeld();
    const size = this.#sizeAt(this.#piece, this.#at, this.#piece.length);
    if (size === 0 || size > this.#piece.length - this.#at) {
      this.#hold(this.#piece.length);
      return false;
    }
    this.#found(this.#piece, this.#at, size);
    this.#at += size;
    return true;
  }

  #nextHeld(): boolean {
    // First what says the size, then the rest.
    this.#hold(this.#at + HEADER_BYTES - this.#heldBytes);
    const size = this.#sizeAt(this.#held, 0, this.#heldBytes);
    if (size === 0) return false;
    this.#hold(this.#at + size - this.#heldBytes);
    if (this.#heldBytes < size) return false;
    this.#found(this.#held, 0, size);
    // Parts of the frame may be kept by whoever reads it: the next one in pieces gets other memory.
    this.#held = NOTHING;
    this.#heldBytes = 0;
    return true;
  }

  /** Copies from the piece up to `until`. */
  #hold(until: number): void {
    const end = Math.min(until, this.#piece.length);
    const count = end - this.#at;
    if (count <= 0) return;
    const wanted = this.#heldBytes + count;
    if (wanted > this.#held.length) {
      const grown = new Uint8Array(Math.max(wanted, this.#held.length * 2, ROOM_MIN));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(this.#piece.subarray(this.#at, end), this.#heldBytes);
    this.#heldBytes = wanted;
    this.#at = end;
  }

  /** The size of what begins at `at`; 0 where it is not known yet. */
  #sizeAt(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < HEADER_BYTES) return 0;
    if (this.expectHeader) return HEADER_BYTES;
    const size =
      (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>>
      0;
    if (size < FRAME_HEADER_BYTES || size > this.frameBytesMax) {
      throw framingError(
        `a frame of ${size} bytes, wanted ${FRAME_HEADER_BYTES} to ${this.frameBytesMax}${this.boundName}`,
      );
    }
    return size;
  }

  #found(bytes: Uint8Array, at: number, size: number): void {
    this.bytes = bytes;
    this.end = at + size;
    this.size = size;
    if (this.expectHeader) {
      this.start = at;
      return;
    }
    const offset = bytes[at + 4] ?? 0;
    if (offset < DATA_OFFSET_MIN || offset * 4 > size) throw framingError(`a frame with a data offset of ${offset}`);
    this.start = at + offset * 4;
    this.type = bytes[at + 5] ?? 0;
    this.channel = ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0);
  }
}

function framingError(found: string): WireFailure {
  return new WireFailure(CONDITION.framingError, `Cannot read ${found}`);
}
