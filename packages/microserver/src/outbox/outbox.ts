import type { Entry } from "../core/lane.ts";
import type { Draft, Identity } from "../core/message.ts";
import { abortedError, MicroserverError } from "../core/microserver-error.ts";
import type { Hub } from "../links/hub.ts";
import { SendLink } from "../links/send-link.ts";
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
  readonly identity?: Identity;
  /** Over the relay, where each message says where it goes: for addresses that are used once. */
  readonly isRelayed?: boolean;
}

/** Links that are kept though nothing waits on them. */
const IDLE_LINKS_MAX = 100;

/** All that is to be accepted somewhere: kept and sent again until it is. */
export class Outbox {
  readonly #hub: Hub;
  readonly #limits: OutboxLimits;
  readonly #folder: OutboxFolder | null;
  readonly #links = new Map<string, SendLink>();
  readonly #entries = new Map<Entry, (error: Error) => void>();
  readonly #writes = new Set<Promise<void>>();
  readonly #producer: string;
  #sequence = 0;
  #nextId: number;
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
    for (const entry of left) this.#resume(entry);
  }

  get messages(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get links(): Iterable<SendLink> {
    return this.#links.values();
  }

  /** Sends a message; resolves when it is accepted. */
  send(to: string, draft: Draft, { signal, identity, isRelayed = false }: OutboxOptions = {}): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const bytes = draft.rest.length;
      if (this.#isClosed) return reject(closedError());
      if (signal?.aborted === true) return reject(abortedError(`send to ${to}`, signal));
      const { messages: messagesMax, bytes: bytesMax } = this.#limits;
      if (this.#entries.size >= messagesMax || this.#bytes + bytes > bytesMax) {
        const held = `${this.#entries.size} messages and ${this.#bytes} bytes`;
        return reject(new MicroserverError("limit", `Cannot send to ${to}: ${held} wait in the outbox already`));
      }
      const isAlone = identity !== undefined;
      const kept = { id: this.#nextId++, to, draft, identity: identity ?? this.#next(), isAlone };
      const entry = this.#add(kept, { isStored: this.#folder === null }, done);
      const link = this.#linkTo(isRelayed ? "" : to);
      const stop = (): void => {
        link.lane.done(entry);
        if (signal !== undefined) entry.failed(abortedError(`send to ${to}`, signal));
      };
      signal?.addEventListener("abort", stop, { once: true });
      link.add(entry);
      if (!entry.isStored) this.#store(entry, () => link.pump());

      function done(error: Error | null): void {
        signal?.removeEventListener("abort", stop);
        if (error === null) resolve();
        else reject(error);
      }
    });
  }

  /** What makes a message the next one of ours, for one that goes another way. */
  nextIdentity(): Identity {
    return this.#next();
  }

  /** Resolves when nothing waits. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#entries.size === 0) resolve();
      else this.#idle.push(resolve);
    });
  }

  /** Gives up what waits; what is in a folder stays there. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const link of this.#links.values()) link.close();
    for (const fail of this.#entries.values()) fail(closedError());
    await Promise.all(this.#writes);
    await this.#folder?.close();
  }

  #next(): Identity {
    return { producer: this.#producer, sequence: ++this.#sequence };
  }

  #resume(kept: KeptEntry): void {
    const entry = this.#add(kept, { isStored: true }, () => {});
    this.#linkTo(kept.to).add(entry);
  }

  #add(
    { id, to, draft, identity, isAlone }: KeptEntry,
    { isStored }: Pick<Entry, "isStored">,
    done: (error: Error | null) => void,
  ): Entry {
    const bytes = draft.rest.length;
    const over = (error: Error | null, isKept = false): void => {
      if (!this.#entries.delete(entry)) return;
      this.#bytes -= bytes;
      if (!isKept && this.#folder !== null) this.#write(this.#folder.remove(id));
      done(error);
      this.#shed();
      if (this.#entries.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    };
    const entry: Entry = {
      id,
      to,
      draft,
      bytes,
      identity,
      isAlone,
      isStored,
      sinceMs: this.#hub.deps.clock.monotonicMs(),
      accepted: () => over(null),
      failed: (error) => over(error),
    };
    this.#entries.set(entry, (error) => over(error, true));
    this.#bytes += bytes;
    return entry;
  }

  #linkTo(address: string): SendLink {
    let link = this.#links.get(address);
    if (link === undefined) {
      const next = (): Identity => this.#next();
      const store = (entry: Entry, done: () => void): void => this.#store(entry, done);
      link = new SendLink(this.#hub, address, { next, store });
    }
    // The one used last stands last.
    this.#links.delete(address);
    this.#links.set(address, link);
    return link;
  }

  #store(entry: Entry, done: () => void): void {
    const stored = (): void => {
      entry.isStored = true;
      done();
    };
    if (this.#folder === null) return stored();
    const failed = (error: unknown): void => {
      this.#links.get(entry.to)?.lane.done(entry);
      entry.failed(error as Error);
      done();
    };
    const folder = this.#folder;
    const put = async (): Promise<void> => {
      await folder.put(entry);
      // It may have been given up meanwhile.
      if (!this.#entries.has(entry) && !this.#isClosed) await folder.remove(entry.id);
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
      if (--excess <= 0) return;
    }
  }
}

const closedError = (): MicroserverError => new MicroserverError("closed", "Cannot send: the microserver is closed");
