import { addHistograms, type Counter, type Histogram } from "@datawire/protocol";

/** What one caller's Sherlocks counted for one instance, or for what had none. */
export interface CounterLine {
  readonly caller: string;
  readonly service: string;
  readonly version: string | null;
  readonly instance: string | null;
  readonly requests: number;
  readonly responses: Counter["responses"];
  readonly failures: number;
  /** Weighted by requests. */
  readonly latencySumMs: number;
  readonly latencyMaxMs: number;
  /** Of those requests that Sherlocks looked at; empty where none does. */
  readonly latencies: Histogram;
}

/** How counters are divided by time, and how many are kept. */
export interface CounterStepsConfig {
  readonly stepMs: number;
  readonly keptMs: number;
  /** The most lines of one step; what goes beyond is dropped, and counted. */
  readonly linesMax: number;
  /** The most buckets of the histograms of one step: where they find no room, lines are kept without. */
  readonly bucketsMax: number;
}

interface Step {
  readonly lines: Map<string, CounterLine>;
  /** How many buckets their histograms have together. */
  buckets: number;
}

/** Counter lines, summed up by steps of time. */
export class CounterSteps {
  readonly #config: CounterStepsConfig;
  readonly #steps = new Map<number, Step>();
  #dropped = 0;

  constructor(config: CounterStepsConfig) {
    this.#config = config;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(lines: readonly CounterLine[], nowMs: number): void {
    const { stepMs, keptMs, linesMax, bucketsMax } = this.#config;
    const step = Math.floor(nowMs / stepMs);
    for (const old of this.#steps.keys()) if (old <= step - keptMs / stepMs) this.#steps.delete(old);
    const sums = this.#steps.get(step) ?? { lines: new Map(), buckets: 0 };
    this.#steps.set(step, sums);
    for (const line of lines) {
      const key = keyOf(line);
      const before = sums.lines.get(key);
      if (before === undefined && sums.lines.size >= linesMax) {
        this.#dropped += 1;
        continue;
      }
      const sum = merged(before, line);
      const more = (sum.latencies.length - (before?.latencies.length ?? 0)) / 2;
      const fits = sums.buckets + more <= bucketsMax;
      sums.lines.set(key, fits ? sum : { ...sum, latencies: before?.latencies ?? [] });
      if (fits) sums.buckets += more;
    }
  }

  /** The lines of each step that begins from `fromMs` on and before `untilMs`, those without any included. */
  each(fromMs: number, untilMs: number): { readonly atMs: number; readonly lines: Iterable<CounterLine> }[] {
    const { stepMs } = this.#config;
    const first = Math.floor(fromMs / stepMs);
    const count = Math.max(0, Math.ceil(untilMs / stepMs) - first);
    return Array.from({ length: count }, (_, i) => ({
      atMs: (first + i) * stepMs,
      lines: this.#steps.get(first + i)?.lines.values() ?? [],
    }));
  }

  /** The sums of all steps that begin from `fromMs` on and before `untilMs`. */
  sum(fromMs: number, untilMs: number): CounterLine[] {
    const sums = new Map<string, CounterLine>();
    for (const [step, { lines }] of this.#steps) {
      const atMs = step * this.#config.stepMs;
      if (atMs < fromMs || atMs >= untilMs) continue;
      for (const [key, line] of lines) sums.set(key, merged(sums.get(key), line));
    }
    return [...sums.values()];
  }
}

const keyOf = ({ caller, service, version, instance }: CounterLine): string =>
  [caller, service, version ?? "", instance ?? ""].join("\0");

function merged(a: CounterLine | undefined, b: CounterLine): CounterLine {
  if (a === undefined) return b;
  const responses = a.responses.map((count, i) => count + (b.responses[i] ?? 0)) as unknown as CounterLine["responses"];
  return {
    ...b,
    requests: a.requests + b.requests,
    responses,
    failures: a.failures + b.failures,
    latencySumMs: a.latencySumMs + b.latencySumMs,
    latencyMaxMs: Math.max(a.latencyMaxMs, b.latencyMaxMs),
    latencies: addHistograms(a.latencies, b.latencies),
  };
}
