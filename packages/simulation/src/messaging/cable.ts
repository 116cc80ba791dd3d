import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Clock } from "@datawire/runtime";
import type { SeededChance } from "../environment/chance.ts";

/** Bytes on their way above which a writer is told to wait. */
const WINDOW_BYTES = 16_384;

/** How a cable behaves. */
export interface CableDeps {
  readonly clock: Pick<Clock, "setTimer" | "monotonicMs">;
  readonly chance: SeededChance;
}

/** Which ends notice that a cable is cut. */
export type CutSide = "both" | "client" | "router";

/** One end of a cable: as much of a socket as the engines of both sides use. */
export class CableEnd extends EventEmitter {
  destroyed = false;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  /** Nothing arrives there before. */
  heldUntilMs = 0;
  other: CableEnd | null = null;
  readonly #deps: CableDeps;
  #onTheWay = 0;
  #isPaused = false;
  #isFull = false;
  readonly #arrived: Buffer[] = [];

  constructor(deps: CableDeps) {
    super();
    this.#deps = deps;
  }

  write(bytes: Uint8Array): boolean {
    const { chance } = this.#deps;
    if (this.destroyed) return true;
    const copy = Buffer.from(bytes);
    // Bytes come in order and in any pieces.
    const cut = chance.between(0, 3) === 0 ? chance.between(0, copy.length) : copy.length;
    this.#send(copy.subarray(0, cut));
    this.#send(copy.subarray(cut));
    this.#isFull = this.#onTheWay > WINDOW_BYTES;
    return !this.#isFull;
  }

  end(): void {
    this.#later(() => this.other?.hangUp());
    this.hangUp();
  }

  destroy(): void {
    this.end();
  }

  /** Ends this end, which notices. */
  hangUp(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (let bytes = this.#arrived.shift(); bytes !== undefined; bytes = this.#arrived.shift()) {
      this.#deliver(bytes);
      if (this.#isPaused) return;
    }
  }

  setNoDelay(): void {}

  /** For an end that takes a socket. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  #send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#onTheWay += bytes.length;
    this.#later(() => {
      this.#onTheWay -= bytes.length;
      this.other?.arrive(bytes);
      if (!this.#isFull || this.#onTheWay > WINDOW_BYTES / 4) return;
      this.#isFull = false;
      if (!this.destroyed) this.emit("drain");
    });
  }

  #later(fn: () => void): void {
    const { clock, chance } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.heldUntilMs = Math.max(this.heldUntilMs, nowMs + chance.between(0, 20));
    clock.setTimer(this.heldUntilMs - nowMs, fn);
  }

  arrive(bytes: Buffer): void {
    if (this.destroyed) return;
    if (this.#isPaused) this.#arrived.push(bytes);
    else this.#deliver(bytes);
  }

  #deliver(bytes: Buffer): void {
    if (!this.destroyed) this.emit("data", bytes);
  }
}

/** A connection between a client and a router: bytes come in order, late and in pieces, or the cable is cut. */
export class Cable {
  readonly client: CableEnd;
  readonly router: CableEnd;

  constructor(deps: CableDeps) {
    this.client = new CableEnd(deps);
    this.router = new CableEnd(deps);
    this.client.other = this.router;
    this.router.other = this.client;
  }

  /** Nothing comes through any more; who is not named does not notice. */
  cut(side: CutSide): void {
    this.client.other = null;
    this.router.other = null;
    if (side !== "router") this.client.hangUp();
    if (side !== "client") this.router.hangUp();
  }

  /** Nothing comes through in one direction for a while; what waits comes after it. */
  silence(from: "client" | "router", untilMs: number): void {
    const end = this[from];
    end.heldUntilMs = Math.max(end.heldUntilMs, untilMs);
  }
}
