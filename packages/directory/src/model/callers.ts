import type { ClientKind } from "@datawire/protocol";
import type { CallerRecord } from "./records.ts";

/** Whether clients of this kind lead calls to services: a Sherlock those of its machine, a library its own. */
export function isCaller(kind: ClientKind): kind is "sherlock" | "library" {
  return kind === "sherlock" || kind === "library";
}

/** For how long a caller that is not connected is still a known one (routing rules, section 4). */
const CALLER_KNOWN_MS = 30 * 86_400_000;
/** How far behind the record of when a caller was last seen may be: it is not worth a write for every connection. */
const SEEN_PRECISION_MS = 3_600_000;
/** The most callers that are remembered; past it, the one not seen for the longest time is forgotten. */
const CALLERS_MAX = 10_000;

/** Who ever called: the Sherlocks and libraries of the last 30 days. */
export class Callers {
  readonly #seen = new Map<string, CallerRecord>();

  set(name: string, record: CallerRecord | null): void {
    this.#seen.delete(name);
    if (record !== null) this.#seen.set(name, record);
  }

  isKnown(name: string, nowMs: number): boolean {
    const caller = this.#seen.get(name);
    return caller !== undefined && caller.seenMs > nowMs - CALLER_KNOWN_MS;
  }

  /** What is to be remembered of a caller that is connected now; null when what is remembered is good enough. */
  sight({ name, kind }: { readonly name: string; readonly kind: string }, nowMs: number): CallerRecord | null {
    const known = this.#seen.get(name);
    if (known !== undefined && known.kind === kind && known.seenMs > nowMs - SEEN_PRECISION_MS) return null;
    return { name, kind, seenMs: nowMs };
  }

  /** Those that need not be remembered any more. */
  forgettable(nowMs: number): string[] {
    const excess = this.#seen.size - CALLERS_MAX;
    return [...this.#seen.values()]
      .toSorted((a, b) => a.seenMs - b.seenMs)
      .filter(({ seenMs }, i) => i < excess || seenMs <= nowMs - CALLER_KNOWN_MS)
      .map(({ name }) => name);
  }
}
