import type { Range } from "../log/record.ts";

/** A set of sequences: all up to a floor, and ranges above it. It holds what a subscription has settled. */
export class Ranges {
  /** Everything below is in it. */
  #floor: number;
  /** What is above the floor, by where it begins; the ranges do not touch. */
  #above: { from: number; end: number }[] = [];

  constructor(floor: number) {
    this.#floor = floor;
  }

  get floor(): number {
    return this.#floor;
  }

  /** What is above the floor, for a snapshot. */
  get above(): readonly (readonly [from: number, end: number])[] {
    return this.#above.map(({ from, end }) => [from, end] as const);
  }

  has(sequence: number): boolean {
    if (sequence < this.#floor) return true;
    const range = this.#above[this.#find(sequence)];
    return range !== undefined && sequence >= range.from;
  }

  add(from: number, length = 1): void {
    const end = from + length;
    if (end <= this.#floor) return;
    const begin = Math.max(from, this.#floor);
    // All that touch become one.
    const at = this.#find(begin - 1);
    let merged = { from: begin, end };
    let count = 0;
    for (let range = this.#above[at]; range !== undefined && range.from <= end; range = this.#above[at + count]) {
      merged = { from: Math.min(merged.from, range.from), end: Math.max(merged.end, range.end) };
      count++;
    }
    this.#above.splice(at, count, merged);
    const [first] = this.#above;
    if (first !== undefined && first.from <= this.#floor) {
      this.#floor = first.end;
      this.#above.shift();
    }
  }

  /** Everything before it is in it. */
  raise(floor: number): void {
    if (floor > this.#floor) this.add(this.#floor, floor - this.#floor);
  }

  /** The first range that ends after a sequence. */
  #find(sequence: number): number {
    let [low, high] = [0, this.#above.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#above[middle]?.end ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Sequences in order as ranges. */
export function rangesOf(sequences: readonly number[]): Range[] {
  const ranges: { from: number; length: number }[] = [];
  for (const sequence of sequences) {
    const last = ranges.at(-1);
    if (last !== undefined && last.from + last.length === sequence) last.length++;
    else ranges.push({ from: sequence, length: 1 });
  }
  return ranges;
}
