import { type IncomingDelivery, type Receiver, type Session, WireFailure } from "@datawire/amqp";
import { abortedError, type MicroserverError } from "../core/microserver-error.ts";
import { readMessage } from "../core/message.ts";
import type { Watched } from "../core/stalls.ts";
import type { Hub } from "./hub.ts";
import { KeptLink } from "./kept-link.ts";

/** Asks for the offset of the last message that a topic has now; null where it has none, or is no topic. */
export function lastOffset(hub: Hub, address: string, signal?: AbortSignal): Promise<number | null> {
  if (signal?.aborted === true) return Promise.reject(abortedError(`look at ${address}`, signal));
  return new Promise((resolve, reject) => {
    const look = new Look(hub, address, {
      found: (offset) => end(() => resolve(offset)),
      failed: (e) => end(() => reject(e)),
    });
    const stop = (): void => end(() => reject(abortedError(`look at ${address}`, signal as AbortSignal)));
    signal?.addEventListener("abort", stop, { once: true });
    hub.join(look);

    function end(settle: () => void): void {
      signal?.removeEventListener("abort", stop);
      look.close();
      settle();
    }
  });
}

/** A link that gets the last message, or hears that there is none: a drain is always answered. */
class Look extends KeptLink<Receiver> {
  readonly #on: { found(offset: number | null): void; failed(error: MicroserverError): void };

  constructor(
    hub: Hub,
    address: string,
    on: { found(offset: number | null): void; failed(error: MicroserverError): void },
  ) {
    super(hub, address.replace(/\?.*$/, ""));
    this.#on = on;
  }

  watched(): Watched {
    return {
      address: this.address,
      role: "receiver",
      waitsFor: this.link?.attached === true ? null : "waits-for-upstream",
    };
  }

  delivered(delivery: IncomingDelivery): void {
    const read = readMessage(delivery.message, this.address);
    delivery.release();
    this.#on.found(read instanceof WireFailure ? null : read.message.offset);
  }

  drained(): void {
    if (!this.isClosed) this.#on.found(null);
  }

  close(): void {
    this.detach(true);
  }

  protected override ask(session: Session): Receiver {
    const source = { address: `${this.address}?from=-1` };
    return session.attachReceiver(`look-${this.hub.deps.chance.id()}`, { source, maxMessageSize: 104_857_600 });
  }

  protected override began(link: Receiver): void {
    link.drainCredit(1);
  }

  protected override lost(): void {
    // It is asked again.
  }

  protected override refused(error: MicroserverError): boolean {
    this.#on.failed(error);
    return true;
  }
}
