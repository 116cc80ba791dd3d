import type { AmqpError } from "../frames/error.ts";
import { writeClose, writeOpen } from "../frames/performatives.ts";
import { protocolHeader } from "../frames/protocol-header.ts";
import type { Output } from "../link/output.ts";
import type { CompleteSettings } from "./settings.ts";

/** Writes what a connection says of itself, each thing once. */
export class ConnectionFrames {
  /** What was said already. */
  headerSaid = false;
  openSaid = false;
  closeSaid = false;
  readonly #output: Output;
  readonly #settings: CompleteSettings;

  constructor(output: Output, settings: CompleteSettings) {
    this.#output = output;
    this.#settings = settings;
  }

  /** One for each layer. */
  header(protocol: number): void {
    this.headerSaid = true;
    this.#output.announce();
    this.#output.frames.raw(protocolHeader(protocol));
  }

  open(): void {
    if (this.openSaid) return;
    this.openSaid = true;
    const { open, frameBytesMax, channelMax, idleTimeoutMs } = this.#settings;
    const start = this.#output.begin(0);
    // The specification has each side tell half of what it waits.
    const idleTimeout = idleTimeoutMs > 0 && { idleTimeout: Math.ceil(idleTimeoutMs / 2) };
    writeOpen(this.#output.frames, { ...open, maxFrameSize: frameBytesMax, channelMax, ...idleTimeout });
    this.#output.frames.end(start);
  }

  /** Nothing is closed that was not open. */
  close(error: AmqpError | null): void {
    if (this.closeSaid) return;
    this.open();
    this.closeSaid = true;
    const start = this.#output.begin(0);
    writeClose(this.#output.frames, error === null ? {} : { error });
    this.#output.frames.end(start);
  }

  /** An empty frame, which says that we are alive. */
  heartbeat(): void {
    this.#output.frames.end(this.#output.begin(0));
  }
}
