import { type Chance, type Clock, noLog } from "@datawire/runtime";
import type { Entry, Etcd, WatchBatch } from "../../store/etcd/etcd-client.ts";
import { EtcdError } from "../../store/etcd/etcd-error.ts";
import { openStoreOver } from "../../store/etcd/etcd-store.ts";
import type { Kind } from "../../store/etcd/keys.ts";
import type { Store } from "../../store/contract.ts";

/** A directory as etcd knows it. */
interface Client {
  readonly name: string;
  /** What it waits for dies with it. */
  readonly clock: Clock;
}

interface Lease {
  readonly ttlMs: number;
  cancel: () => void;
}

type Listener = (entries: readonly Entry[]) => void;

/** Below which the keys of directories lie. */
const PREFIX = "/datawire";
/** How long a request or an answer is under way. */
const DELAY_MS_MAX = 10;
/** What a directory waits for an etcd that says nothing. */
const SILENCE_MS = 1_000;

/** Resolves after a while; never for a directory that is killed before. */
const pauseOf = ({ clock }: Client, ms: number): Promise<void> => new Promise((resolve) => clock.setTimer(ms, resolve));

/** One etcd in memory that is never lost itself; directories may lose sight of it. */
export class MemoryEtcd {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #keys = new Map<string, { readonly value: string; readonly revision: number; readonly lease: string }>();
  readonly #past: { readonly revision: number; readonly entries: readonly Entry[] }[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #leases = new Map<string, Lease>();
  readonly #awayUntilMs = new Map<string, number>();
  #revision = 1;

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** A directory does not reach it for a while. */
  hide(directory: string, forMs: number): void {
    this.#awayUntilMs.set(directory, this.#clock.monotonicMs() + forMs);
  }

  /** The store as one directory uses it. */
  open(client: Client, { leaseMs }: { readonly leaseMs: number }): Promise<Store> {
    const config = { prefix: PREFIX, address: `//${client.name}/directory`, leaseMs };
    const deps = { clock: client.clock, log: noLog, chance: this.#chance };
    return openStoreOver(this.#clientOf(client), config, { deps, signal: new AbortController().signal });
  }

  /** The keys of a kind, below the prefix of directories. */
  keysOf(kind: Kind): string[] {
    return [...this.#keys.keys()].filter((key) => key.startsWith(`${PREFIX}/${kind}/`));
  }

  /** Removes keys, as an operator would. */
  remove(keys: readonly string[]): void {
    this.#write(keys.map((key) => ({ key, value: null })));
  }

  #clientOf(client: Client): Etcd {
    const isAway = (): boolean => (this.#awayUntilMs.get(client.name) ?? 0) > this.#clock.monotonicMs();
    const pause = (): Promise<void> => pauseOf(client, this.#delayMs());
    /** What is asked may be done and not be answered. */
    const ask = async <T>(work: () => T, { changes }: { readonly changes: boolean }): Promise<T> => {
      await pause();
      if (isAway()) {
        await pauseOf(client, SILENCE_MS);
        throw new EtcdError("unavailable", "it is out of reach");
      }
      const result = work();
      await pause();
      if (!isAway()) return result;
      await pauseOf(client, SILENCE_MS);
      throw new EtcdError(changes ? "uncertain" : "unavailable", "it did not answer");
    };
    const below = (prefix: string): Entry[] =>
      [...this.#keys]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, { value, revision }]) => ({ key, value, revision }));
    const now = (key: string): Entry => {
      const found = this.#keys.get(key);
      return { key, value: found?.value ?? null, revision: found?.revision ?? this.#revision };
    };
    return {
      endpoint: 0,
      list: (prefix, take) =>
        ask(() => ({ entries: below(prefix), revision: this.#revision }), { changes: false }).then(
          ({ entries, revision }) => {
            take(entries);
            return revision;
          },
        ),
      firstKey: (prefix, from) =>
        ask(
          () =>
            below(prefix)
              .map(({ key }) => key)
              .sort()
              .find((key) => key >= from) ?? null,
          { changes: false },
        ),
      read: (keys) => ask(() => keys.map(now), { changes: false }),
      swap: (...[swaps, guards = []]: Parameters<Etcd["swap"]>) =>
        ask(
          () => {
            const conditions = [...swaps, ...guards];
            const holds = conditions.every(({ key, expected }) => (this.#keys.get(key)?.revision ?? 0) === expected);
            if (!holds)
              return { state: "refused", revision: this.#revision, entries: conditions.map(({ key }) => now(key)) };
            this.#write(swaps);
            return { state: "written", revision: this.#revision };
          },
          { changes: true },
        ),
      grantLease: (ttlSeconds) =>
        ask(
          () => {
            const id = this.#chance.id();
            this.#leases.set(id, { ttlMs: ttlSeconds * 1_000, cancel: () => {} });
            this.#keepAlive(id);
            return id;
          },
          { changes: false },
        ),
      keepAlive: (lease) => ask(() => this.#keepAlive(lease), { changes: false }),
      watch: (prefix, from, signal) => this.#watch(client, { prefix, from, isAway }, signal),
      close: () => Promise.resolve(),
    };
  }

  #delayMs(): number {
    return Math.round(this.#chance.number() * DELAY_MS_MAX);
  }

  #write(writes: readonly { readonly key: string; readonly value: string | null; readonly lease?: string }[]): void {
    this.#revision += 1;
    const revision = this.#revision;
    const entries = writes.map(({ key, value, lease = "" }) => {
      if (value === null) this.#keys.delete(key);
      else this.#keys.set(key, { value, revision, lease });
      return { key, value, revision };
    });
    this.#past.push({ revision, entries });
    for (const listen of this.#listeners) listen(entries);
  }

  #keepAlive(id: string): boolean {
    const lease = this.#leases.get(id);
    if (lease === undefined) return false;
    lease.cancel();
    lease.cancel = this.#clock.setTimer(lease.ttlMs, () => {
      this.#leases.delete(id);
      const gone = [...this.#keys].filter(([, held]) => held.lease === id).map(([key]) => ({ key, value: null }));
      if (gone.length > 0) this.#write(gone);
    });
    return true;
  }

  /** What comes is in order; a watch that loses sight of etcd fails after a while. */
  async *#watch(
    client: Client,
    { prefix, from, isAway }: { readonly prefix: string; readonly from: number; readonly isAway: () => boolean },
    signal: AbortSignal,
  ): AsyncGenerator<WatchBatch> {
    const waiting: WatchBatch[] = [{ state: "created", revision: this.#revision, term: 1 }];
    let wake = (): void => {};
    let lastMs = 0;
    const take: Listener = (entries) => {
      const own = entries.filter(({ key }) => key.startsWith(prefix));
      if (own.length === 0) return;
      const nowMs = this.#clock.monotonicMs();
      lastMs = Math.max(lastMs, nowMs + this.#delayMs());
      client.clock.setTimer(lastMs - nowMs, () => {
        waiting.push({ state: "events", revision: own[0]?.revision ?? 0, entries: own });
        wake();
      });
    };
    for (const { revision, entries } of this.#past) if (revision >= from) take(entries);
    this.#listeners.add(take);
    const stop = (): void => wake();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        if (isAway()) {
          await pauseOf(client, SILENCE_MS);
          throw new EtcdError("unavailable", "the watch broke");
        }
        const batch = waiting.shift();
        if (batch === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield batch;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#listeners.delete(take);
    }
  }
}
