/** Some bytes of a segment. Of a piece that is no more, the segment is -1. */
interface Piece {
  segment: number;
  position: number;
  length: number;
  /** Where it has been copied to; -1 where it is what was given. */
  at: number;
  given: Buffer;
}

/** A miss looks at all of them. */
const PIECES_MAX = 256;
const NO_SEGMENT = -1;
const NOTHING = Buffer.alloc(0);

/** Pieces of segments in memory, the oldest leaving first: what was just written, and what was read ahead. */
export class ByteCache {
  readonly #bytesMax: number;
  /** Used in turn, so that nothing is made anew with each block. */
  readonly #pieces: Piece[] = [];
  #next = 0;
  /**
   * What copies are written into, in turn. Memory of its own for each piece would be given back only when V8 marks its whole
   * heap, and would make it do so several times a second.
   */
  #ring: Buffer | null = null;
  #ringEnd = 0;
  #givenBytes = 0;
  /** What a consumer reads lies where the last one read, mostly. */
  #last: Piece | null = null;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps bytes as they are: they may not change any more. */
  add(segment: number, position: number, given: Buffer): void {
    this.#givenBytes += given.length;
    for (let i = 0; i < this.#pieces.length && this.#givenBytes > this.#bytesMax; i++) {
      const oldest = this.#pieces[(this.#next + i) % this.#pieces.length] as Piece;
      if (oldest.at === -1) this.#drop(oldest);
    }
    this.#put({ segment, position, length: given.length, at: -1, given });
  }

  /** Keeps a copy of at most half of what the cache holds; what `find` gave of older ones may be written over. */
  copy(segment: number, position: number, bytes: Buffer): void {
    this.#ring ??= Buffer.allocUnsafeSlow(this.#bytesMax);
    const at = this.#ringEnd + bytes.length > this.#ring.length ? 0 : this.#ringEnd;
    this.#ringEnd = at + bytes.length;
    for (const piece of this.#pieces) {
      if (piece.at !== -1 && piece.at < this.#ringEnd && piece.at + piece.length > at) this.#drop(piece);
    }
    bytes.copy(this.#ring, at);
    this.#put({ segment, position, length: bytes.length, at, given: NOTHING });
  }

  /** The bytes at a place, without copying; null where they are not all here. Those of a copy are good until others come. */
  find(segment: number, offset: number, length: number): Buffer | null {
    const last = this.#last;
    if (last !== null && holds(last, segment, offset, length)) return this.#part(last, offset, length);
    for (const piece of this.#pieces) {
      if (!holds(piece, segment, offset, length)) continue;
      this.#last = piece;
      return this.#part(piece, offset, length);
    }
    return null;
  }

  forget(segment: number): void {
    for (const piece of this.#pieces) if (piece.segment === segment) this.#drop(piece);
  }

  #put(piece: Piece): void {
    const oldest = this.#pieces[this.#next];
    if (oldest === undefined) this.#pieces.push(piece);
    else {
      this.#drop(oldest);
      Object.assign(oldest, piece);
    }
    this.#next = (this.#next + 1) % PIECES_MAX;
  }

  #drop(piece: Piece): void {
    this.#givenBytes -= piece.given.length;
    piece.segment = NO_SEGMENT;
    piece.length = 0;
    piece.at = -1;
    piece.given = NOTHING;
  }

  #part({ position, at, given }: Piece, offset: number, length: number): Buffer {
    const start = at === -1 ? offset - position : at + offset - position;
    return (at === -1 ? given : (this.#ring as Buffer)).subarray(start, start + length);
  }
}

const holds = (piece: Piece, segment: number, offset: number, length: number): boolean =>
  piece.segment === segment && offset >= piece.position && offset + length <= piece.position + piece.length;
