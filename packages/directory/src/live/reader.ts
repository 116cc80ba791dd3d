import type { ServerResponse } from "node:http";
import type { Body } from "./body.ts";
import { SharedBytes } from "./event.ts";

/** What a reader that keeps up may have waiting beside the whole that it was sent last. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** A line that says nothing. */
const BEAT = new SharedBytes(": \n\n");

/** One who follows topics, as far as its connection goes. What it cannot take at once is not kept for it. */
export class Reader {
  readonly #res: ServerResponse;
  readonly #body: Body;
  readonly #resume: (missed: ReadonlySet<string>) => void;
  #wholeBytes = 0;
  #missed = new Set<string>();

  /** @param resume told which topics it has missed changes of, once it has room for them whole. */
  constructor(res: ServerResponse, body: Body, resume: (missed: ReadonlySet<string>) => void) {
    this.#res = res;
    this.#body = body;
    this.#resume = resume;
    res.on("drain", () => this.#drained());
    // A connection that breaks closes too, which is what whoever made this looks at.
    res.on("error", () => res.destroy());
  }

  /** Sends a topic whole. */
  whole(topic: string, event: SharedBytes): void {
    this.#missed.delete(topic);
    this.#wholeBytes = this.#write(event);
    // It leaves at once, and does not wait until all others that were asked for with it are there (node:http corks a turn's chunks).
    this.#res.socket?.uncork();
  }

  /** Sends what changed of a topic, or notes that it has missed it. */
  change(topic: string, event: SharedBytes): void {
    // Once it has missed one, what follows would say of a later revision that all before it was there.
    if (this.#missed.size > 0 || this.#res.writableLength > this.#wholeBytes + WAITING_BYTES_MAX) {
      this.#missed.add(topic);
      return;
    }
    this.#write(event);
  }

  /** Sends a line that says nothing, so that those in between see that there is life. */
  beat(): void {
    if (this.#res.writableLength === 0) this.#write(BEAT);
  }

  end(): void {
    this.#res.end(this.#body.end());
  }

  /**
   * What follows its end is for nobody; written all the same it would be an error of the process.
   * @returns how many bytes it took
   */
  #write(part: SharedBytes): number {
    if (this.#res.writableEnded || this.#res.destroyed) return 0;
    const bytes = this.#body.next(part);
    this.#res.write(bytes);
    return bytes.length;
  }

  #drained(): void {
    if (this.#missed.size === 0) return;
    const missed = this.#missed;
    this.#missed = new Set();
    this.#resume(missed);
  }
}
