import type { Counter } from "@datawire/protocol";

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
}

export interface CounterStepsConfig {
  readonly stepMs: number;
  readonly keptMs: number;
  /** The most lines of one step; what goes beyond is dropped, and counted. */
  readonly linesMax: number;
}

/** Counter lines, summed up by steps of time. */
export class CounterSteps {
  readonly #config: CounterStepsConfig;
  readonly #steps = new Map<number, Map<string, CounterLine>>();
  #dropped = 0;

  constructor(config: CounterStepsConfig) {
    this.#config = config;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(lines: readonly CounterLine[], nowMs: number): void {
    const { stepMs, keptMs } = this.#config;
    const step = Math.floor(nowMs / stepMs);
    for (const old of this.#steps.keys()) if (old <= step - keptMs / stepMs) this.#steps.delete(old);
    const sums = this.#steps.get(step) ?? new Map<string, CounterLine>();
    this.#steps.set(step, sums);
    for (const line of lines) {
      const key = keyOf(line);
      const before = sums.get(key);
      if (before === undefined && sums.size >= this.#config.linesMax) this.#dropped += 1;
      else sums.set(key, merged(before, line));
    }
  }

  /** The sums of all steps that begin from `fromMs` on and before `untilMs`. */
  sum(fromMs: number, untilMs: number): CounterLine[] {
    const sums = new Map<string, CounterLine>();
    for (const [step, lines] of this.#steps) {
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
  };
}
