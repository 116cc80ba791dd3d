import type { Draft, Identity } from "../core/message.ts";
import { abortedError, MicroserverError } from "../core/microserver-error.ts";
import type { Hub } from "../links/hub.ts";
import { SendLink } from "../links/send-link.ts";
import { type Done, type EntryOwner, OutboxEntry } from "./outbox-entry.ts";
import type { KeptEntry, OutboxFolder } from "./outbox-folder.ts";

/** What waits in an outbox at the most; more is refused with `limit`. */
export interface OutboxLimits {
  /** Default 100,000. */
  readonly messages: number;
  /** Default 256 MiB. */
  readonly bytes: number;
}

/** How one message goes. */
export interface OutboxOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of a message that is the only one of its producer; else it is the next one of ours. */
  readonly identity?: Identity | undefined;
  /** Over the relay, where each message says where it goes: for addresses that are used once. */
  readonly isRelayed?: boolean;
}

/** Links that are kept though nothing waits on them. */
const IDLE_LINKS_MAX = 100;

/** All that is to be accepted somewhere: kept and sent again until it is. */
export class Outbox implements EntryOwner {
  readonly #hub: Hub;
  readonly #limits: OutboxLimits;
  readonly #folder: OutboxFolder | null;
  /** By their addresses, the one used last at the end. Whatever waits is in the lane of one of them. */
  readonly #links = new Map<string, SendLink>();
  #usedLast: SendLink | null = null;
  readonly #writes = new Set<Promise<void>>();
  readonly #producer: string;
  #sequence = 0;
  #nextId: number;
  #messages = 0;
  #bytes = 0;
  #isClosed = false;
  #idle: (() => void)[] = [];

  /** @param left what an earlier process left in the folder. */
  constructor(hub: Hub, limits: OutboxLimits, folder: OutboxFolder | null = null, left: readonly KeptEntry[] = []) {
    this.#hub = hub;
    this.#limits = limits;
    this.#folder = folder;
    this.#producer = `${hub.deps.chance.id()}${hub.deps.chance.id()}`;
    this.#nextId = (left.at(-1)?.id ?? 0) + 1;
    for (const kept of left) this.#linkTo(kept.to).add(this.#add(kept, true, () => {}));
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get links(): Iterable<SendLink> {
    return this.#links.values();
  }

  /** Sends a message; resolves when it is accepted. */
  send(to: string, draft: Draft, options: OutboxOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.put(to, draft, { ...options, done: (error) => (error === null ? resolve() : reject(error)) });
    });
  }

  /**
   * Sends a message, of which `done` is told what became of it.
   * @throws MicroserverError `closed`, `aborted`, or `limit` where too much waits; `done` is not called then.
   */
  put(to: string, draft: Draft, { signal, identity, isRelayed = false, done }: OutboxOptions & { done: Done }): void {
    if (this.#isClosed) throw closedError();
    if (signal?.aborted === true) throw abortedError(`send to ${to}`, signal);
    const { messages: messagesMax, bytes: bytesMax } = this.#limits;
    if (this.#messages >= messagesMax || this.#bytes + draft.rest.length > bytesMax) {
      const held = `${this.#messages} messages and ${this.#bytes} bytes`;
      throw new MicroserverError("limit", `Cannot send to ${to}: ${held} wait in the outbox already`);
    }
    const isAlone = identity !== undefined;
    const kept = { id: this.#nextId++, to, draft, identity: identity ?? this.nextIdentity(), isAlone };
    const link = this.#linkTo(isRelayed ? "" : to);
    const entry = this.#add(kept, this.#folder === null, signal === undefined ? done : ending(signal, stop, done));
    link.add(entry);
    if (!entry.isStored) this.#store(entry, link, () => link.pump());

    function stop(): void {
      link.lane.done(entry);
      entry.failed(abortedError(`send to ${to}`, signal as AbortSignal));
    }
  }

  /** What makes a message the next one of ours. */
  nextIdentity(): Identity {
    return { producer: this.#producer, sequence: ++this.#sequence };
  }

  /** Resolves when nothing waits. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#messages === 0) resolve();
      else this.#idle.push(resolve);
    });
  }

  /** Gives up what waits; what is in a folder stays there. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const link of this.#links.values()) {
      link.close();
      for (const entry of link.lane.clear()) entry.failed(closedError(this.#hub.failureNote));
    }
    await Promise.all(this.#writes);
    await this.#folder?.close();
  }

  /** Called by an entry once it is accepted, refused or given up: it counts no more, and leaves the folder. */
  over(entry: OutboxEntry, error: Error | null): void {
    if (entry.isOver) return;
    entry.isOver = true;
    this.#messages--;
    this.#bytes -= entry.bytes;
    if (!this.#isClosed && this.#folder !== null) this.#write(this.#folder.remove(entry.id));
    entry.done(error);
    this.#shed();
    if (this.#messages === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #add(kept: KeptEntry, isStored: boolean, done: Done): OutboxEntry {
    const sinceMs = this.#hub.deps.clock.monotonicMs();
    const entry = new OutboxEntry(kept, { isStored, sinceMs }, { owner: this, done });
    this.#messages++;
    this.#bytes += entry.bytes;
    return entry;
  }

  #linkTo(address: string): SendLink {
    if (this.#usedLast?.address === address) return this.#usedLast;
    const link = this.#links.get(address) ?? this.#newLink(address);
    this.#links.delete(address);
    this.#links.set(address, link);
    this.#usedLast = link;
    return link;
  }

  #newLink(address: string): SendLink {
    const link: SendLink = new SendLink(this.#hub, address, {
      next: () => this.nextIdentity(),
      store: (entry, done) => this.#store(entry as OutboxEntry, link, done),
    });
    return link;
  }

  #store(entry: OutboxEntry, link: SendLink, done: () => void): void {
    const stored = (): void => {
      entry.isStored = true;
      done();
    };
    if (this.#folder === null) return stored();
    const failed = (error: unknown): void => {
      link.lane.done(entry);
      entry.failed(error as Error);
      done();
    };
    const folder = this.#folder;
    const put = async (): Promise<void> => {
      await folder.put(entry);
      // It may have been given up meanwhile.
      if (entry.isOver && !this.#isClosed) await folder.remove(entry.id);
    };
    this.#write(put().then(stored, failed));
  }

  #write(promise: Promise<void>): void {
    const write = promise.finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  /** Lets go of links that nothing was sent on for longest. */
  #shed(): void {
    let excess = this.#links.size - IDLE_LINKS_MAX;
    if (excess <= 0) return;
    for (const [address, link] of this.#links) {
      if (!link.lane.isEmpty) continue;
      link.close();
      this.#links.delete(address);
      if (link === this.#usedLast) this.#usedLast = null;
      if (--excess <= 0) return;
    }
  }
}

/** Has a signal stop something until it is done. */
function ending(signal: AbortSignal, stop: () => void, done: Done): Done {
  signal.addEventListener("abort", stop, { once: true });
  return (error) => {
    signal.removeEventListener("abort", stop);
    done(error);
  };
}

const closedError = (note = ""): MicroserverError =>
  new MicroserverError("closed", `Cannot send: the microserver is closed${note}`);
