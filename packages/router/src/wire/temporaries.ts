import { randomUUID } from "node:crypto";
import type { Clock } from "@datawire/runtime";
import type { Broker } from "../engine/broker.ts";

/** How long a temporary address waits for its link to come back (section 3). */
const GRACE_MS = 60_000;

interface Temporary {
  readonly address: string;
  cancel: (() => void) | null;
}

/** The addresses that were made for a link, and go with it. */
export class Temporaries {
  readonly #prefix: string;
  readonly #broker: Broker;
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #byOwner = new Map<string, Temporary>();
  #isOver = false;

  /** @param prefix what tells this process from others of the same router. */
  constructor(broker: Broker, clock: Pick<Clock, "setTimer">, prefix = "") {
    this.#prefix = prefix;
    this.#broker = broker;
    this.#clock = clock;
  }

  /** The address of an owner: the one it had a moment ago, or a new one. */
  take(owner: string, kind: "queue" | "topic" = "queue"): string {
    const known = this.#byOwner.get(owner);
    // One that is in use is another link's of the same name.
    if (known !== undefined && known.cancel !== null) {
      known.cancel();
      known.cancel = null;
      return known.address;
    }
    const address = `$temp/${this.#prefix}${randomUUID()}`;
    this.#broker.makeTemporary(address, kind);
    this.#byOwner.set(owner, { address, cancel: null });
    return address;
  }

  /** The link is gone. @param isClosed whether for good. */
  release(owner: string, address: string, isClosed: boolean): void {
    const known = this.#byOwner.get(owner);
    if (known?.address !== address) return void this.#broker.remove(address);
    const end = (): void => {
      this.#byOwner.delete(owner);
      this.#broker.remove(address);
    };
    if (isClosed || this.#isOver) end();
    else known.cancel = this.#clock.setTimer(GRACE_MS, end);
  }

  /** Waits for no link any more: the router stops, and what it has in memory goes with it. */
  close(): void {
    this.#isOver = true;
    for (const { cancel } of this.#byOwner.values()) cancel?.();
  }
}
