import type { ServerResponse } from "node:http";

/** What a reader that keeps up may have waiting beside the whole that it was sent last. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** One who follows topics, as far as its connection goes. What it cannot take at once is not kept for it. */
export class Reader {
  readonly #res: ServerResponse;
  readonly #resume: (missed: ReadonlySet<string>) => void;
  #wholeBytes = 0;
  #missed = new Set<string>();

  /** @param resume told which topics it has missed changes of, once it has room for them whole. */
  constructor(res: ServerResponse, resume: (missed: ReadonlySet<string>) => void) {
    this.#res = res;
    this.#resume = resume;
    res.on("drain", () => this.#drained());
    // A connection that breaks closes too, which is what whoever made this looks at.
    res.on("error", () => res.destroy());
  }

  /** Sends a topic whole. */
  whole(topic: string, event: Buffer): void {
    this.#wholeBytes = event.length;
    this.#missed.delete(topic);
    this.#write(event);
  }

  /** Sends what changed of a topic, or notes that it has missed it. */
  change(topic: string, event: Buffer): void {
    // Once it has missed one, what follows would say of a later revision that all before it was there.
    if (this.#missed.size > 0 || this.#res.writableLength > this.#wholeBytes + WAITING_BYTES_MAX) {
      this.#missed.add(topic);
      return;
    }
    this.#write(event);
  }

  /** Sends a line that says nothing, so that those in between see that there is life. */
  beat(): void {
    if (this.#res.writableLength === 0) this.#write(": \n\n");
  }

  end(): void {
    this.#res.end();
  }

  /** What follows its end is for nobody; written all the same it would be an error of the process. */
  #write(bytes: Buffer | string): void {
    if (!this.#res.writableEnded && !this.#res.destroyed) this.#res.write(bytes);
  }

  #drained(): void {
    if (this.#missed.size === 0) return;
    const missed = this.#missed;
    this.#missed = new Set();
    this.#resume(missed);
  }
}
