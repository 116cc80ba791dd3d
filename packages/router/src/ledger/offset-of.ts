import type { From } from "../address/from.ts";
import type { MessageIndex } from "./message-index.ts";

/**
 * Where in a topic a reader begins.
 * @param next the offset that the next message gets.
 */
export function offsetOf(from: From, index: MessageIndex, next: number): number {
  const first = index.first() ?? next;
  switch (from.at) {
    case "first":
      return first;
    case "last":
      return next;
    case "offset":
      return Math.min(Math.max(from.offset, first), next);
    case "back":
      return Math.max(first, next - from.count);
    case "time":
      return firstSince(from.timeMs, index, [first, next]);
  }
}

/** The first message that was accepted at a time or after it. */
function firstSince(timeMs: number, index: MessageIndex, [first, next]: readonly [number, number]): number {
  let [low, high] = [first, next];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const sequence = index.next(middle);
    if (sequence === null || (index.acceptedAtMs(sequence) ?? 0) >= timeMs) high = middle;
    else low = sequence + 1;
  }
  return low;
}
