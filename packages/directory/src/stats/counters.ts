import { bucketsOf, type Counter, toHistogram } from "@datawire/protocol";
import { type CounterLine, CounterSteps } from "./counter-steps.ts";

/** For how long counters are kept. */
export const COUNTERS_KEPT_MS = 3_600_000;
/** For how long they are kept in steps as short as those in which Sherlocks report. */
const FINE_KEPT_MS = 60_000;
const FINE_STEP_MS = 5_000;
const COARSE_STEP_MS = 60_000;

/** Sums, and which span of time they are of. */
export interface CounterSums {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly lines: readonly CounterLine[];
}

/** The counters that Sherlocks send, of the last hour. */
export class Counters {
  // A bucket has 16 bytes: all of them together take 40 MB at the most.
  readonly #fine = new CounterSteps({
    stepMs: FINE_STEP_MS,
    keptMs: FINE_KEPT_MS + FINE_STEP_MS,
    linesMax: 20_000,
    bucketsMax: 50_000,
  });
  readonly #coarse = new CounterSteps({
    stepMs: COARSE_STEP_MS,
    keptMs: COUNTERS_KEPT_MS,
    linesMax: 50_000,
    bucketsMax: 30_000,
  });

  /** How many lines found no room. */
  get dropped(): number {
    return this.#coarse.dropped;
  }

  add({ caller, counters }: { readonly caller: string; readonly counters: readonly Counter[] }, nowMs: number): void {
    const lines = counters.map((counter) => lineOf(caller, counter));
    this.#fine.add(lines, nowMs);
    this.#coarse.add(lines, nowMs);
  }

  /**
   * The sums of the last so many milliseconds. A minute and less is told in whole steps of five seconds, without the
   * one that has begun: each Sherlock reports once in each, so that a rate made of them is steady. More is told in
   * minutes, with the one that has begun.
   */
  last(spanMs: number, nowMs: number): CounterSums {
    if (spanMs > FINE_KEPT_MS) {
      const fromMs = floor(nowMs - spanMs, COARSE_STEP_MS);
      return { fromMs, untilMs: nowMs, lines: this.#coarse.sum(fromMs, Number.POSITIVE_INFINITY) };
    }
    const { fromMs, untilMs } = this.window(spanMs, nowMs);
    return { fromMs, untilMs, lines: this.#fine.sum(fromMs, untilMs) };
  }

  /** Differs when `last` may: steps that are over gain nothing any more. */
  version(spanMs: number, nowMs: number): number {
    return spanMs > FINE_KEPT_MS ? Number.NaN : this.window(spanMs, nowMs).untilMs;
  }

  /** Which whole steps of five seconds the last so many milliseconds are, a minute at the most. */
  window(spanMs: number, nowMs: number): { readonly fromMs: number; readonly untilMs: number } {
    const untilMs = floor(nowMs, FINE_STEP_MS);
    return { fromMs: untilMs - Math.max(FINE_STEP_MS, floor(spanMs, FINE_STEP_MS)), untilMs };
  }

  /** The lines of the last so many milliseconds by step, in steps as `last` has them. */
  steps(spanMs: number, nowMs: number): { readonly stepMs: number; readonly steps: ReturnType<CounterSteps["each"]> } {
    if (spanMs > FINE_KEPT_MS) {
      const steps = this.#coarse.each(floor(nowMs - spanMs, COARSE_STEP_MS), nowMs);
      return { stepMs: COARSE_STEP_MS, steps };
    }
    const { fromMs, untilMs } = this.window(spanMs, nowMs);
    return { stepMs: FINE_STEP_MS, steps: this.#fine.each(fromMs, untilMs) };
  }
}

const floor = (ms: number, stepMs: number): number => Math.floor(ms / stepMs) * stepMs;

function lineOf(caller: string, counter: Counter): CounterLine {
  const { service, version, instance, requests, responses, failures, latencyMs, latencies = [] } = counter;
  return {
    caller,
    service,
    version,
    instance,
    requests,
    responses,
    failures,
    latencySumMs: (latencyMs?.average ?? 0) * requests,
    latencyMaxMs: latencyMs?.max ?? 0,
    // As they came, they may be in any order, and in other buckets.
    latencies: toHistogram(bucketsOf(latencies)),
  };
}
