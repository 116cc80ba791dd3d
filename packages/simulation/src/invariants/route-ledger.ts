import type { Outcome } from "../machines/directory-machine.ts";

interface Change {
  readonly percent: number;
  readonly directory: string;
  readonly startedMs: number;
  endedMs: number;
  outcome: Outcome | "pending";
}

/** What operators asked for and what they were answered: what was answered holds until something later replaces it. */
export class RouteLedger {
  readonly #changes = new Map<string, Change[]>();

  /** Notes a change that is asked for; the function returned says how it ended. */
  begin(
    caller: string,
    { percent, directory, atMs }: { readonly percent: number; readonly directory: string; readonly atMs: number },
  ): (outcome: Outcome, atMs: number) => void {
    const change: Change = {
      percent,
      directory,
      startedMs: atMs,
      endedMs: Number.POSITIVE_INFINITY,
      outcome: "pending",
    };
    this.#changes.set(caller, [...(this.#changes.get(caller) ?? []), change]);
    return (outcome, endedMs) => {
      if (change.outcome === "pending") Object.assign(change, { outcome, endedMs });
    };
  }

  /** A directory is gone: of what it was asked nobody knows whether it was done, and it does not do it any more. */
  lost(directory: string, atMs: number): void {
    for (const change of [...this.#changes.values()].flat())
      if (change.directory === directory && change.outcome === "pending")
        Object.assign(change, { outcome: "unknown", endedMs: atMs });
  }

  /** Nothing is known any more. */
  clear(): void {
    this.#changes.clear();
  }

  callers(): Iterable<string> {
    return this.#changes.keys();
  }

  /** The shares of which one must hold now; null stands for no route. */
  possible(caller: string): Set<number | null> {
    const changes = (this.#changes.get(caller) ?? []).filter(({ outcome }) => outcome !== "refused");
    const answered = changes.filter(({ outcome }) => outcome === "answered");
    const standing = changes.filter((one) => !answered.some((later) => later.startedMs > one.endedMs));
    const shares = new Set<number | null>(standing.map(({ percent }) => percent));
    if (answered.length === 0) shares.add(null);
    return shares;
  }
}
