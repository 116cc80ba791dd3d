/** Some bytes of a segment. */
interface Piece {
  readonly segment: number;
  readonly position: number;
  readonly bytes: Buffer;
}

/** A miss looks at all of them. */
const PIECES_MAX = 256;

/** Pieces of segments in memory, the oldest leaving first: what was just written, and what was read ahead. */
export class ByteCache {
  readonly #bytesMax: number;
  readonly #pieces: Piece[] = [];
  #bytes = 0;
  /** What a consumer reads lies where the last one read, mostly. */
  #last: Piece | null = null;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(segment: number, position: number, bytes: Buffer): void {
    this.#pieces.push({ segment, position, bytes });
    this.#bytes += bytes.length;
    while ((this.#bytes > this.#bytesMax && this.#pieces.length > 1) || this.#pieces.length > PIECES_MAX) {
      this.#bytes -= this.#pieces.shift()?.bytes.length ?? 0;
    }
  }

  /** The bytes at a place, without copying; null where they are not all here. */
  find(segment: number, offset: number, length: number): Buffer | null {
    const last = this.#last;
    if (last !== null && holds(last, segment, offset, length)) return part(last, offset, length);
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const piece = this.#pieces[i] as Piece;
      if (!holds(piece, segment, offset, length)) continue;
      this.#last = piece;
      return part(piece, offset, length);
    }
    return null;
  }

  forget(segment: number): void {
    this.#last = null;
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      if (this.#pieces[i]?.segment === segment) this.#bytes -= this.#pieces.splice(i, 1)[0]?.bytes.length ?? 0;
    }
  }
}

const holds = (piece: Piece, segment: number, offset: number, length: number): boolean =>
  piece.segment === segment && offset >= piece.position && offset + length <= piece.position + piece.bytes.length;

const part = ({ position, bytes }: Piece, offset: number, length: number): Buffer =>
  bytes.subarray(offset - position, offset - position + length);
