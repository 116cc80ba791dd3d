import type { Framing } from "./response-head.ts";

/** Takes the bytes of a body as they come. */
export interface BodyReader {
  /** Takes some. @throws Error that says, as a clause, why they are no body. */
  take(bytes: Buffer): void;
  /** Whether its end has come. */
  readonly complete: boolean;
  /** The first bytes of the body, as many as are kept. */
  readonly start: Buffer;
}

/** Makes the reader of a body that ends as the head says, of which the first `bytesMax` are kept. */
export function createBodyReader(framing: Framing, bytesMax: number): BodyReader {
  const kept: Buffer[] = [];
  let room = bytesMax;
  const keep = (bytes: Buffer): void => {
    if (room > 0) kept.push(bytes.subarray(0, room));
    room -= bytes.length;
  };
  const decoder = framing.kind === "chunked" ? new ChunkDecoder(keep) : null;
  let left = framing.kind === "length" ? framing.bytes : Number.POSITIVE_INFINITY;
  return {
    take(bytes) {
      if (decoder !== null) return decoder.take(bytes);
      keep(bytes.subarray(0, left));
      left -= Math.min(left, bytes.length);
    },
    get complete() {
      return decoder === null ? left === 0 : decoder.complete;
    },
    get start() {
      return Buffer.concat(kept);
    },
  };
}

/** A chunk's size with its extension is far shorter. */
const SIZE_LINE_MAX = 1_024;

/** What has come so far of a header after the last chunk. */
const TRAILER_START = /^(?:[\w!#$%&'*+.^`|~-]+(?::[^\r]*)?)?\r?$/;
/** The name of a header after the last chunk, with its colon. */
const TRAILER = /^[\w!#$%&'*+.^`|~-]+:/;

/** RFC 9112, section 7.1; as HAProxy, with line feeds alone too. */
class ChunkDecoder {
  readonly #keep: (bytes: Buffer) => void;
  #state: "size" | "data" | "end of data" | "trailers" | "complete" = "size";
  #line = "";
  #left = 0;

  constructor(keep: (bytes: Buffer) => void) {
    this.#keep = keep;
  }

  get complete(): boolean {
    return this.#state === "complete";
  }

  take(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== "complete") {
      if (this.#state === "data") at += this.#takeData(bytes.subarray(at));
      else at += this.#takeLine(bytes.subarray(at));
    }
  }

  #takeData(bytes: Buffer): number {
    const data = bytes.subarray(0, this.#left);
    this.#keep(data);
    this.#left -= data.length;
    if (this.#left === 0) this.#state = "end of data";
    return data.length;
  }

  #takeLine(bytes: Buffer): number {
    const feed = bytes.indexOf("\n");
    this.#line += bytes.toString("latin1", 0, feed < 0 ? bytes.length : feed);
    if (this.#state === "size" && !/^[0-9a-f]*(?:[ \t]*(?:;.*|\r?))$/is.test(this.#line)) throw this.#noSize();
    if (this.#state === "trailers" && !TRAILER_START.test(this.#line)) throw noTrailer();
    if (this.#line.length > SIZE_LINE_MAX) throw new Error("a line between its chunks has no end");
    if (feed < 0) return bytes.length;
    const line = this.#line.replace(/\r$/, "");
    this.#line = "";
    this.#end(line);
    return feed + 1;
  }

  #end(line: string): void {
    switch (this.#state) {
      case "size": {
        const digits = /^[0-9a-f]{1,13}(?=[ \t]*(?:;|$))/i.exec(line)?.[0];
        if (digits === undefined) throw this.#noSize();
        this.#left = Number.parseInt(digits, 16);
        this.#state = this.#left === 0 ? "trailers" : "data";
        return;
      }
      case "end of data":
        if (line !== "") throw new Error("a chunk of its body is longer than its size says");
        this.#state = "size";
        return;
      case "trailers":
        if (line === "") this.#state = "complete";
        else if (!TRAILER.test(line)) throw noTrailer();
        return;
      default:
    }
  }

  #noSize(): Error {
    return new Error("its body is no sequence of chunks, as Transfer-Encoding says");
  }
}

const noTrailer = (): Error => new Error("what follows its last chunk is no trailer");
