import { backoff, type Chance, type Clock, type Logger } from "@datawire/runtime";
import type { Entry, Etcd, Guard, Swap, TxnResult } from "./etcd-client.ts";
import { asEtcdError, EtcdError } from "./etcd-error.ts";
import { Mirror } from "./mirror.ts";

interface FollowingDeps {
  readonly client: Etcd;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chance: Pick<Chance, "number">;
  /** Takes what others have written, once each and in their order. */
  readonly news: (entries: readonly Entry[]) => void;
  /** The watch cannot be kept up: nothing is known of what others write. */
  readonly lost: (error: EtcdError) => void;
  /** The watch is there (again), and everything since it was last there has come or is on its way. */
  readonly found: () => void;
}

/** Waits between attempts to watch; the first one is made at once. */
const WAIT = { baseMs: 100, capMs: 1_000 } as const;
/** Etcd takes 128 operations in one transaction. */
const RECALLED_AT_ONCE = 100;
/** A watch that breaks is opened again before anyone is told: the next endpoint may be well. */
const FAILURES_MAX = 1;

/** All keys with one prefix, as they are: listed once, then followed. */
export class Following {
  readonly #prefix: string;
  readonly #deps: FollowingDeps;
  readonly #mirror = new Mirror();
  /** Everything up to here has come. */
  #revision = 0;
  /** The raft term of etcd, which only grows while it is the same. */
  #term = 0;
  /** What is known may be of another etcd. */
  #distrusted = false;
  #watch: { readonly endpoint: number; readonly cut: AbortController } | null = null;

  constructor(prefix: string, deps: FollowingDeps) {
    this.#prefix = prefix;
    this.#deps = deps;
  }

  /** The revision at which a key is known; 0 when it is not there. */
  revisionOf(key: string): number {
    return this.#mirror.revision(key);
  }

  /**
   * Lists everything. What is followed later is what comes after the first list.
   * @throws EtcdError
   */
  async load(): Promise<Entry[]> {
    const { entries, revision } = await this.#list();
    if (this.#revision === 0) {
      this.#revision = revision;
      for (const entry of entries) this.#know(entry);
    }
    return entries;
  }

  /**
   * Writes all or nothing. Where others were faster, what they wrote has come as news before this resolves.
   * @throws EtcdError
   */
  async swap(swaps: readonly Swap[], guards: readonly Guard[] = []): Promise<TxnResult> {
    const result = await this.#deps.client.swap(swaps, guards);
    if (result.state === "refused") this.#take(result.entries);
    else for (const { key, value } of swaps) this.#know({ key, value, revision: result.revision });
    return result;
  }

  /**
   * Tells again what some keys are, unless what is known of them is newer.
   * @throws EtcdError
   */
  async recall(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += RECALLED_AT_ONCE) {
      const entries = await this.#deps.client.read(keys.slice(at, at + RECALLED_AT_ONCE));
      const current = entries.filter((entry) => entry.revision >= this.#mirror.revision(entry.key));
      for (const entry of current) this.#know(entry);
      this.#deps.news(current);
    }
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, chance, lost } = this.#deps;
    const firstWait = () => backoff({ ...WAIT, random: () => chance.number() });
    let wait = firstWait();
    let failures = 0;
    const watching = (): void => {
      wait = firstWait();
      failures = 0;
    };
    while (!signal.aborted) {
      const error = await this.#follow(watching, signal);
      if (signal.aborted) return;
      if (error?.code === "compacted") log.info("Listing anew what etcd holds", { reason: error.message });
      failures += 1;
      if (failures <= FAILURES_MAX) continue;
      lost(error ?? new EtcdError("unavailable", "the watch ended"));
      const { delayMs, backoff: next } = wait.next();
      wait = next;
      await clock.sleep(delayMs, signal);
    }
  }

  /** Gives up the watch that is open, to open another one, if it is with an endpoint that is not asked any more. */
  reconsider(): void {
    if (this.#watch !== null && this.#watch.endpoint !== this.#deps.client.endpoint) this.abandon();
  }

  /** Lists everything anew: what is known may be of another etcd, even where the numbers fit. */
  distrust(): void {
    this.#distrusted = true;
    this.abandon();
  }

  /** Gives up the watch that is open, to open another one. */
  abandon(): void {
    this.#watch?.cut.abort();
  }

  /** Watches until that fails; what then has to be listed is listed. Returns why it failed. */
  async #follow(watching: () => void, signal: AbortSignal): Promise<EtcdError | null> {
    const { client, found } = this.#deps;
    const cut = new AbortController();
    this.#watch = { endpoint: client.endpoint, cut };
    try {
      for await (const batch of client.watch(this.#prefix, this.#revision + 1, AbortSignal.any([signal, cut.signal]))) {
        if (batch.state === "created") {
          // Etcd was restored from a backup, or is another one.
          const reset = this.#distrusted || batch.revision < this.#revision || batch.term < this.#term;
          this.#term = batch.term;
          if (reset) {
            await this.#listAnew({ reset });
            this.#distrusted = false;
            return null; // the next watch begins where that list ends
          }
          watching();
          found();
          continue;
        }
        this.#take(batch.entries);
        // The revision of a batch with events may be ahead of them; without events, all up to it have come.
        const reached = batch.entries.length === 0 ? [batch.revision] : batch.entries.map(({ revision }) => revision);
        this.#revision = reached.reduce((a, b) => Math.max(a, b), this.#revision);
        this.#mirror.reached(this.#revision);
      }
      return null;
    } catch (error) {
      // The watch is opened again, whatever ended it: without it this directory would never hear of the others.
      if (!(error instanceof EtcdError) || error.code !== "compacted") return asEtcdError(error);
      return await this.#listAnew({ reset: false }).then(() => error, asEtcdError);
    } finally {
      cut.abort();
      this.#watch = null;
    }
  }

  async #listAnew({ reset }: { readonly reset: boolean }): Promise<void> {
    const { entries, revision } = await this.#list();
    if (reset) this.#mirror.forgetRevisions();
    const gone = this.#mirror.retain(new Set(entries.map(({ key }) => key)), revision);
    this.#deps.news(gone.map((key) => ({ key, value: null, revision })));
    this.#take(entries);
    this.#revision = revision;
  }

  async #list(): Promise<{ entries: Entry[]; revision: number }> {
    for (;;) {
      const entries: Entry[] = [];
      try {
        const revision = await this.#deps.client.list(this.#prefix, (page) => {
          for (const entry of page) entries.push(entry);
        });
        return { entries, revision };
      } catch (error) {
        // A compaction came between two pages: the next list is of a newer revision.
        if (!(error instanceof EtcdError) || error.code !== "compacted") throw error;
      }
    }
  }

  #take(entries: readonly Entry[]): void {
    const news = entries.filter((entry) => this.#know(entry));
    if (news.length > 0) this.#deps.news(news);
  }

  #know({ key, value, revision }: Entry): boolean {
    return value === null ? this.#mirror.remove(key, revision) : this.#mirror.put(key, revision);
  }
}
