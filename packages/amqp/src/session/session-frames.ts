import type { AmqpError } from "../frames/error.ts";
import type { Flow } from "../frames/flow.ts";
import { type Attach, type Begin, writeAttach, writeBegin, writeDetach, writeEnd } from "../frames/performatives.ts";
import type { LinkEnd } from "../link/link.ts";
import type { Output } from "../link/output.ts";

/** Writes the frames of one session. */
export class SessionFrames {
  readonly #output: Output;
  readonly #channel: number;

  constructor(output: Output, channel: number) {
    this.#output = output;
    this.#channel = channel;
  }

  begin(begin: Begin): void {
    this.#write((frames) => writeBegin(frames, begin));
  }

  attach(attach: Attach): void {
    this.#write((frames) => writeAttach(frames, attach));
  }

  detach(handle: number, { closed, error }: LinkEnd): void {
    this.#write((frames) => writeDetach(frames, { handle, closed, ...(error !== null && { error }) }));
  }

  end(error: AmqpError | null): void {
    this.#write((frames) => writeEnd(frames, error === null ? {} : { error }));
  }

  flow(flow: Flow): void {
    const start = this.#output.begin(this.#channel);
    flow.write(this.#output.frames);
    this.#output.frames.end(start);
  }

  #write(what: (frames: Output["frames"]) => void): void {
    const start = this.#output.begin(this.#channel);
    what(this.#output.frames);
    this.#output.frames.end(start);
  }
}
