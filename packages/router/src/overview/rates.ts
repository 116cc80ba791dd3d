/** How long the past is that a rate tells of. */
const WINDOW_MS = 10_000;

/** How many messages a second came in and went out of an address lately. */
export interface Rates {
  readonly inPerS: number;
  readonly outPerS: number;
}

/** An address, with the messages that came and went since the start. */
interface Counted {
  readonly name: string;
  readonly counters: { readonly in: number; readonly out: number };
}

interface Sample {
  atMs: number;
  readonly in: number;
  readonly out: number;
}

/** The rates of all addresses, from what they have counted. */
export class RateBook {
  readonly #samples = new Map<string, Sample[]>();

  /** Notes what addresses have counted; once a second. Those that are not there any more are forgotten. */
  note(nowMs: number, counted: Iterable<Counted>): void {
    const seen = new Set<string>();
    for (const {
      name,
      counters: { in: came, out },
    } of counted) {
      seen.add(name);
      const samples = this.#samples.get(name) ?? [];
      add(samples, { atMs: nowMs, in: came, out });
      while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? 0) >= WINDOW_MS) samples.shift();
      const [first, second] = samples;
      if (first !== undefined && isSame(first, second)) first.atMs = Math.max(first.atMs, nowMs - WINDOW_MS);
      this.#samples.set(name, samples);
    }
    for (const name of this.#samples.keys()) if (!seen.has(name)) this.#samples.delete(name);
  }

  of(name: string): Rates {
    const samples = this.#samples.get(name) ?? [];
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return { inPerS: 0, outPerS: 0 };
    const perS = (count: number): number => Math.round((count * 10_000) / (last.atMs - first.atMs)) / 10;
    return { inPerS: perS(last.in - first.in), outPerS: perS(last.out - first.out) };
  }
}

/** Adds a sample. A time in which nothing happened has two, its ends: of ten thousand queues, most do nothing. */
function add(samples: Sample[], sample: Sample): void {
  const last = samples.at(-1);
  if (last !== undefined && isSame(last, sample) && isSame(last, samples.at(-2))) last.atMs = sample.atMs;
  else samples.push(sample);
}

const isSame = (one: Sample, other: Sample | undefined): boolean => one.in === other?.in && one.out === other.out;
