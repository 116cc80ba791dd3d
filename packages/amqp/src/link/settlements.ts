import { ACCEPTED, type DeliveryState } from "../frames/delivery-state.ts";
import { writeDisposition } from "../frames/disposition.ts";
import { serialAfter, serialDistance } from "../types/serial.ts";
import type { Output } from "./output.ts";

/**
 * What a session has to say of deliveries. Accepted and settled, which is what nearly all become, is gathered until the
 * next write, and said of whole ranges; everything else goes out as it comes.
 */
export class Settlements {
  readonly #output: Output;
  readonly #channel: number;
  readonly #role: boolean;
  #ids: number[] = [];
  #inOrder = true;

  /** `role` is ours: true for what we received. */
  constructor(output: Output, channel: number, role: boolean) {
    this.#output = output;
    this.#channel = channel;
    this.#role = role;
  }

  /** Whether nothing is gathered. */
  get empty(): boolean {
    return this.#ids.length === 0;
  }

  /** Gathers a delivery that is accepted and settled. */
  gather(id: number): void {
    const ids = this.#ids;
    const last = ids.length === 0 ? id - 1 : (ids[ids.length - 1] ?? 0);
    if (!serialAfter(id, last)) this.#inOrder = false;
    ids.push(id);
  }

  /** Writes what is gathered, one frame for each run of ids. */
  flush(): void {
    const ids = this.#ids;
    if (ids.length === 0) return;
    this.#ids = [];
    if (!this.#inOrder) ids.sort(serialDistance);
    this.#inOrder = true;
    let first = ids[0] ?? 0;
    let last = first;
    for (const id of ids) {
      if (id !== last && id !== (last + 1) >>> 0) {
        this.say(first, last, true, ACCEPTED);
        first = id;
      }
      last = id;
    }
    this.say(first, last, true, ACCEPTED);
  }

  /** Writes one frame at once. */
  say(first: number, last: number, settled: boolean, state: DeliveryState | null): void {
    const { frames } = this.#output;
    const start = this.#output.begin(this.#channel);
    writeDisposition(frames, this.#role, first, last, settled, state);
    frames.end(start);
  }
}
