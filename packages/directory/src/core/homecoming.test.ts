import { expect, test } from "vitest";
import { Homecoming } from "./homecoming.ts";

// How many Watsons are not back yet, at each second from the first.
test.each<[number[], number | null, string]>([
  [[3, 2, 1, 0], 4, "at once when all are back"],
  [[3, 2, 1, 1, 1, 1, 1, 1, 1, 1], 9, "after a warm-up when some do not come"],
  [[9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 1], 12, "a lull after the last one when they keep coming"],
  [[9, 9, 9, 9, 9, 9, 9, 9, 8, 8, 8], null, "not before such a lull"],
  [Array.from({ length: 40 }, (_, i) => 50 - i), 36, "after four warm-ups however many come"],
])("Homecoming with %j awaited is over after %j s: %s", (awaited, expected) => {
  const homecoming = new Homecoming({ startedMs: 0, warmUpMs: 9_000 });
  const over = awaited.findIndex((count, i) => homecoming.isOver(count, (i + 1) * 1_000));
  expect(over === -1 ? null : over + 1).toBe(expected);
});
