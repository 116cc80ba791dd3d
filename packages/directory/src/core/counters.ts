import type { Counter } from "@datawire/protocol";

/** For how long counters are kept. */
export const COUNTERS_KEPT_MS = 3_600_000;
const BUCKET_MS = 60_000;
/** The most lines of one minute; what goes beyond is summed up in no line of its own but dropped, and counted. */
const LINES_MAX = 50_000;

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

/** The counters that Sherlocks send, by the minute, of the last hour. */
export class Counters {
  readonly #buckets = new Map<number, Map<string, CounterLine>>();
  #dropped = 0;

  /** How many lines found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  add({ caller, counters }: { readonly caller: string; readonly counters: readonly Counter[] }, nowMs: number): void {
    const minute = Math.floor(nowMs / BUCKET_MS);
    for (const old of this.#buckets.keys()) {
      if (old <= minute - COUNTERS_KEPT_MS / BUCKET_MS) this.#buckets.delete(old);
    }
    const bucket = this.#buckets.get(minute) ?? new Map<string, CounterLine>();
    this.#buckets.set(minute, bucket);
    for (const counter of counters) this.#addLine(bucket, caller, counter);
  }

  /** The sums since `sinceMs`, which is rounded down to the minute. */
  since(sinceMs: number): CounterLine[] {
    const sums = new Map<string, CounterLine>();
    for (const [minute, bucket] of this.#buckets) {
      if ((minute + 1) * BUCKET_MS <= sinceMs) continue;
      for (const [key, line] of bucket) sums.set(key, merged(sums.get(key), line));
    }
    return [...sums.values()];
  }

  #addLine(bucket: Map<string, CounterLine>, caller: string, counter: Counter): void {
    const { service, version, instance, requests, responses, failures, latencyMs } = counter;
    const key = [caller, service, version ?? "", instance ?? ""].join("\0");
    const before = bucket.get(key);
    if (before === undefined && bucket.size >= LINES_MAX) {
      this.#dropped += 1;
      return;
    }
    const line: CounterLine = {
      caller,
      service,
      version,
      instance,
      requests,
      responses,
      failures,
      latencySumMs: (latencyMs?.average ?? 0) * requests,
      latencyMaxMs: latencyMs?.max ?? 0,
    };
    bucket.set(key, merged(before, line));
  }
}

function merged(a: CounterLine | undefined, b: CounterLine): CounterLine {
  if (a === undefined) return b;
  const responses = a.responses.map((count, i) => count + (b.responses[i] ?? 0)) as CounterLine["responses"];
  return {
    ...b,
    requests: a.requests + b.requests,
    responses,
    failures: a.failures + b.failures,
    latencySumMs: a.latencySumMs + b.latencySumMs,
    latencyMaxMs: Math.max(a.latencyMaxMs, b.latencyMaxMs),
  };
}
