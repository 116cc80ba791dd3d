import type { Counter } from "@datawire/protocol";
import type { LinkHandler, LinkSession, Position } from "@datawire/link";
import type { Clock } from "@datawire/runtime";
import type { Settled } from "../routing/allotments.ts";

/** What is counted, and by whose time. */
export interface CountingDeps {
  readonly clock: Pick<Clock, "monotonicMs" | "setTimer">;
  /** What consumers have settled since it was asked last. */
  readonly take: () => readonly Settled[];
  /** The table that messages go by now. */
  readonly position: () => Position | null;
}

const COUNT_MS = 5_000;
/** For so long after the table has changed, each second: a rollout waits for what it does. */
const EAGER_MS = 30_000;
const EAGER_COUNT_MS = 1_000;
/** So many lines fit into a frame. */
const LINES_MAX = 500;

/** Tells the directory what became of messages, by instance, as Sherlocks tell of requests. */
export class Counting implements LinkHandler {
  readonly #deps: CountingDeps;
  #session: LinkSession | null = null;
  #since: Position | null = null;
  #beganMs: number;
  #changedMs: number;
  #cancel: (() => void) | null = null;

  constructor(deps: CountingDeps) {
    this.#deps = deps;
    this.#beganMs = this.#changedMs = deps.clock.monotonicMs();
  }

  connected(session: LinkSession): void {
    this.#session = session;
    this.#count();
  }

  disconnected(): void {
    this.#session = null;
    this.close();
  }

  message(): void {}

  /** Messages go by another table from now on: what was counted until then was by the one before. */
  changed(): void {
    this.#changedMs = this.#deps.clock.monotonicMs();
    this.#count();
  }

  /** Tells nothing more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #count(): void {
    const { clock, take, position } = this.#deps;
    const nowMs = clock.monotonicMs();
    const counters = take().map(toCounter);
    const periodMs = Math.max(1, Math.round(nowMs - this.#beganMs));
    for (let from = 0; from < counters.length; from += LINES_MAX) {
      const some = counters.slice(from, from + LINES_MAX);
      this.#session?.send({ type: "counters", periodMs, since: this.#since, counters: some });
    }
    this.#beganMs = nowMs;
    this.#since = position();
    this.#cancel?.();
    if (this.#session === null) return;
    const delayMs = nowMs - this.#changedMs < EAGER_MS ? EAGER_COUNT_MS : COUNT_MS;
    this.#cancel = clock.setTimer(delayMs, () => this.#count());
  }
}

/** A message that was accepted is a request that went well; one rejected, or given back as failed, a request that did not. */
function toCounter({ service, member: { instance, version }, accepted, failed }: Settled): Counter {
  return {
    service,
    version,
    instance,
    requests: accepted + failed,
    responses: [0, accepted, 0, 0, failed],
    failures: 0,
    latencyMs: null,
  };
}
