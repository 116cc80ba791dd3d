import type { Log, Place } from "../log/log.ts";
import type { MessageRecord, Range } from "../log/record.ts";
import type { ReplayHandler } from "../log/recover.ts";
import { Queue } from "../queue/queue.ts";
import { readControl } from "./control.ts";
import type { KeptAddress } from "./kept-address.ts";

interface RestoringHost {
  make(id: number, name: string, kind: "queue" | "topic"): KeptAddress;
  forget(address: KeptAddress): void;
}

/** Makes of what the log tells the addresses that there were. */
export class Restoring implements ReplayHandler {
  readonly #host: RestoringHost;
  readonly #byId = new Map<number, KeptAddress>();
  /** Of addresses that were removed, or are not known: their records say nothing any more. */
  readonly #orphans: Place[] = [];

  constructor(host: RestoringHost) {
    this.#host = host;
  }

  message(record: MessageRecord, place: Place): void {
    const address = this.#byId.get(record.address);
    if (address === undefined) {
      this.#orphans.push(place);
      return;
    }
    address.kept.restoreMessage(record.sequence, place, record.acceptedAtMs);
    if (record.keys !== null) address.dedupe.add(record.keys, record.acceptedAtMs);
  }

  settled(id: number, subscription: number, { from, length }: Range): void {
    const kept = this.#byId.get(id)?.kept;
    if (kept instanceof Queue) kept.restoreSettled(from, length);
    else kept?.restoreSettled(subscription, from, length);
  }

  failed(id: number, subscription: number, sequence: number, deliveries: number): void {
    const kept = this.#byId.get(id)?.kept;
    if (kept instanceof Queue) kept.restoreFailed(sequence, deliveries);
    else kept?.restoreFailed(subscription, sequence, deliveries);
  }

  control(value: unknown): void {
    const control = readControl(value);
    if (control === null) return;
    switch (control.is) {
      case "address":
        this.#make(control);
        return;
      case "state": {
        const { kept, dedupe } = this.#make(control);
        if (kept instanceof Queue) kept.restoreSnapshot({ next: control.next, failures: control.failures ?? [] });
        else kept.restoreSnapshot({ next: control.next, subscriptions: control.subscriptions ?? [] });
        if (control.dedupe !== undefined) dedupe.restore(control.dedupe);
        return;
      }
      case "removed": {
        const address = this.#byId.get(control.id);
        if (address === undefined) return;
        address.kept.discard();
        this.#byId.delete(control.id);
        this.#host.forget(address);
        return;
      }
      case "subscription": {
        const kept = this.#byId.get(control.address)?.kept;
        if (kept !== undefined && !(kept instanceof Queue)) kept.restoreSubscription(control.subscription);
        return;
      }
      case "ended": {
        const kept = this.#byId.get(control.address)?.kept;
        if (kept !== undefined && !(kept instanceof Queue)) kept.restoreEnd(control.id);
      }
    }
  }

  /** The log was read to its end. */
  end(log: Pick<Log, "release">): void {
    for (const { segment, length } of this.#orphans) log.release(segment, length);
    for (const { kept } of this.#byId.values()) if (kept instanceof Queue) kept.restored();
  }

  #make({
    id,
    name,
    kind,
  }: {
    readonly id: number;
    readonly name: string;
    readonly kind: "queue" | "topic";
  }): KeptAddress {
    const address = this.#host.make(id, name, kind);
    this.#byId.set(id, address);
    return address;
  }
}
