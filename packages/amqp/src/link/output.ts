import { FrameWriter } from "../frames/frame-writer.ts";

/** What has something to say at the next write: written once then, whatever was asked for until then. */
export interface Deferred {
  flush(): void;
}

/** What a connection has to write. */
export class Output {
  readonly frames = new FrameWriter();
  /** Bytes a frame may have at the peer. */
  frameBytesMax: number;
  /** Whether the transport takes no more at present. */
  congested = false;
  #deferred: Deferred[] = [];
  #announced = false;
  readonly #bytesMax: number;
  readonly #ready: () => void;

  /** `ready` is called when there is something to take, once until it was taken. */
  constructor(frameBytesMax: number, bytesMax: number, ready: () => void) {
    this.frameBytesMax = frameBytesMax;
    this.#bytesMax = bytesMax;
    this.#ready = ready;
  }

  /** Whether messages may be written: what is not taken yet is little. */
  get open(): boolean {
    return !this.congested && this.frames.length < this.#bytesMax;
  }

  /** Begins a frame; `frames.end` ends it. */
  begin(channel: number, type?: number): number {
    if (!this.#announced) this.announce();
    return this.frames.begin(channel, type);
  }

  /** Has `flush` called before the next write. */
  defer(deferred: Deferred): void {
    this.#deferred.push(deferred);
    if (!this.#announced) this.announce();
  }

  announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#ready();
  }

  /** Everything that is to be written now; null where that is nothing. */
  take(): Uint8Array | null {
    const deferred = this.#deferred;
    if (deferred.length > 0) {
      this.#deferred = [];
      for (const each of deferred) each.flush();
    }
    this.#announced = false;
    return this.frames.length === 0 ? null : this.frames.take();
  }
}
