import type { Catalog } from "@datawire/catalog";
import type { Clock } from "@datawire/runtime";
import { DeltaLog } from "./delta-log.ts";
import { Snapshots } from "./snapshots.ts";
import type { CatalogWriter } from "./catalog-writer.ts";
import type { Source } from "./stream.ts";

/** Whoever is to be told that there is something new. */
export interface Subscriber {
  pump(): void;
}

/**
 * For how long changes that follow each other closely are collected into one revision. The first one after a calm is
 * sent at once.
 */
const COALESCE_MS = 5;

interface PublisherDeps {
  readonly clock: Clock;
  /** Names this life of the table. */
  readonly epoch: string;
  /** Told how long the oldest change of a revision took until it was handed to every subscriber that keeps up. */
  readonly published: (delayMs: number) => void;
  /** Told of a change that could not be made a revision. */
  readonly failed?: (error: unknown) => void;
}

/** Turns changes of the table into revisions, and tells the subscribers. */
export class Publisher implements Source {
  readonly log: DeltaLog;
  readonly snapshots: Snapshots;
  readonly #writer: CatalogWriter;
  readonly #clock: Clock;
  readonly #published: (delayMs: number) => void;
  readonly #failed: (error: unknown) => void;
  readonly #subscribers = new Set<Subscriber>();
  #warming = true;
  #cancel: (() => void) | null = null;
  #closed = false;
  #flushedMs = Number.NEGATIVE_INFINITY;

  constructor(writer: CatalogWriter, { clock, epoch, published, failed = () => {} }: PublisherDeps) {
    this.#published = published;
    this.#failed = failed;
    this.#writer = writer;
    this.#clock = clock;
    this.log = new DeltaLog(epoch);
    this.snapshots = new Snapshots(writer.table, this.log);
  }

  get table(): Catalog {
    return this.#writer.table;
  }

  get warming(): boolean {
    return this.#warming;
  }

  /** How many changes are being held for. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Takes the table as it is for revision 0, which nobody has seen yet, so that its making need not be kept. */
  begin(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#writer.take();
    // Reading all of a large table takes a while: now, and not when a crowd has come from a directory that has ended.
    this.table.buckets(1);
    this.log.begin(this.table.hash());
  }

  /** Says that the table may have changed. */
  touch(): void {
    if (!this.#writer.pending || this.#cancel !== null || this.#closed) return;
    const waitMs = Math.max(0, this.#flushedMs + COALESCE_MS - this.#clock.monotonicMs());
    this.#cancel = this.#clock.setTimer(waitMs, () => this.#flushAlone());
  }

  /** In a timer, what it throws would end the process, and with it all that is served of the table as it was. */
  #flushAlone(): void {
    try {
      this.flush();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Makes revisions of what has changed, now. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    const batch = this.#closed ? null : this.#writer.take();
    if (batch === null) return;
    this.#flushedMs = this.#clock.monotonicMs();
    const hash = this.table.hash();
    // The table is already where the last of them leads to.
    for (const change of batch.changes) {
      const isLast = change === batch.changes.at(-1);
      this.log.append(change, { atMs: batch.atMs, ...(isLast && { hash }) });
    }
    this.#pumpAll();
    // Changes are dated by the wall clock, as people and subscribers read them; it may have jumped since.
    this.#published(Math.max(0, this.#clock.nowMs() - batch.atMs));
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Ends the warm-up: from now on the table is taken for whole. */
  warm(): void {
    this.flush();
    this.#warming = false;
    this.snapshots.clear();
    this.#pumpAll();
  }

  /** Makes no more revisions. */
  close(): void {
    this.#cancel?.();
    this.#closed = true;
  }

  #pumpAll(): void {
    for (const subscriber of this.#subscribers) subscriber.pump();
  }
}
