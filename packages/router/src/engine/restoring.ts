import type { Log } from "../log/log.ts";
import type { Place } from "../log/log-deps.ts";
import { type FoundMessage, type Range, type RecordHandler, UnknownRecord } from "../log/record.ts";
import { Queue } from "../queue/queue.ts";
import { readControl } from "./notes/control.ts";
import type { KeptAddress } from "./kept-address.ts";
import type { KeptIdentity } from "./broker-deps.ts";
import type { OwnSettings } from "./notes/own-settings.ts";

interface RestoringHost {
  make(identity: KeptIdentity, own: OwnSettings | null): KeptAddress;
  configure(address: KeptAddress, own: OwnSettings): void;
  forget(address: KeptAddress): void;
}

/** How much of a note an error quotes. */
const NOTE_CHARACTERS = 100;

/** Makes of what the log tells the addresses that there were. */
export class Restoring implements RecordHandler {
  readonly #host: RestoringHost;
  readonly #byId = new Map<number, KeptAddress>();
  /** Records of addresses that were removed or are unknown, which mean nothing any more. */
  readonly #orphans: Place[] = [];

  readonly #nowMs: number;

  constructor(host: RestoringHost, nowMs: number) {
    this.#host = host;
    this.#nowMs = nowMs;
  }

  message(found: FoundMessage): void {
    const address = this.#byId.get(found.address);
    if (address === undefined) {
      const { segment, offset, length } = found;
      this.#orphans.push({ segment, offset, length });
      return;
    }
    // A message that was accepted while the clock was ahead counts from now on.
    const acceptedAtMs = Math.min(found.acceptedAtMs, this.#nowMs);
    address.kept.restoreMessage(found.sequence, found, { acceptedAtMs, ttlMs: found.ttlMs });
    const keys = found.keys();
    if (keys !== null) address.dedupe.add(keys, acceptedAtMs);
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
    if (control === null)
      throw new UnknownRecord(`there is a note of an unknown kind, ${JSON.stringify(value).slice(0, NOTE_CHARACTERS)}`);
    switch (control.is) {
      case "address":
        this.#make(control);
        return;
      case "state": {
        const { kept, dedupe, moves } = this.#make(control);
        if (kept instanceof Queue) kept.restoreSnapshot({ next: control.next, failures: control.failures ?? [] });
        else kept.restoreSnapshot({ next: control.next, subscriptions: control.subscriptions ?? [] });
        if (control.dedupe !== undefined) dedupe.restore(control.dedupe, this.#nowMs);
        moves.clear();
        for (const moving of control.moves ?? []) moves.set(moving.id, moving);
        return;
      }
      case "own": {
        const address = this.#byId.get(control.id);
        if (address !== undefined) this.#host.configure(address, control.own);
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
        return;
      }
      case "moving":
        this.#byId.get(control.address)?.moves.set(control.moving.id, control.moving);
        return;
      case "moved":
        this.#byId.get(control.address)?.moves.delete(control.id);
        return;
      case "expired": {
        const kept = this.#byId.get(control.address)?.kept;
        if (kept !== undefined && !(kept instanceof Queue))
          for (const range of control.ranges) kept.restoreExpired(range);
      }
    }
  }

  /** The log was read to its end. */
  end(log: Pick<Log, "release">): void {
    for (const { segment, length } of this.#orphans) log.release(segment, length);
    for (const { kept } of this.#byId.values()) if (kept instanceof Queue) kept.restored();
  }

  #make({ id, name, kind, own = null }: KeptIdentity & { readonly own?: OwnSettings | null | undefined }): KeptAddress {
    const address = this.#host.make({ id, name, kind }, own);
    this.#byId.set(id, address);
    return address;
  }
}
