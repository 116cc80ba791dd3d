import type { LogLevelWord } from "@datawire/protocol";
import { SeenOnce } from "./seen-once.ts";
import { type KeptEvent, rankOf, type TraceStore } from "./trace-store.ts";

/** Which events somebody follows. */
export interface LogFilter {
  /** One trace alone; null for all. */
  readonly trace: string | null;
  /** Of that level and worse. */
  readonly level: LogLevelWord;
}

interface Follower {
  readonly filter: LogFilter;
  readonly take: (event: KeptEvent) => void;
}

/** The log events of a tenant: keeps each once, and tells those who follow them. */
export class Logs {
  readonly store: TraceStore;
  readonly #seen = new SeenOnce();
  readonly #followers = new Set<Follower>();

  constructor(store: TraceStore) {
    this.store = store;
  }

  /** Takes an event by its number in the process that logged it; one that came before is left as it is. */
  keep(sequence: number, event: KeptEvent): void {
    if (!this.#seen.isNew(event.node, sequence)) return;
    this.store.append(event);
    for (const { filter, take } of this.#followers) if (fits(event, filter)) take(event);
  }

  /** Calls `take` with what is logged from now on; the function returned ends that. */
  follow(filter: LogFilter, take: (event: KeptEvent) => void): () => void {
    const follower = { filter, take };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}

function fits({ traceId, level }: KeptEvent, filter: LogFilter): boolean {
  return (filter.trace === null || plain(traceId) === plain(filter.trace)) && rankOf(level) <= rankOf(filter.level);
}

const plain = (traceId: string): string => traceId.replaceAll("-", "").toLowerCase();
