import { expect, test } from "vitest";
import { traceIdOf } from "../testing/requests.ts";
import { hashesOf, KeyFilter } from "./key-filter.ts";

test("mayHave() knows every key that was added, and hardly any other", () => {
  const filter = new KeyFilter(4_096);
  for (let i = 0; i < 4_096; i++) filter.add(hashesOf(traceIdOf(i)));
  const missed = Array.from({ length: 4_096 }, (_, i) => traceIdOf(i)).filter((key) => !filter.mayHave(hashesOf(key)));
  expect(missed).toEqual([]);
  const others = Array.from({ length: 20_000 }, (_, i) => traceIdOf(1_000_000 + i));
  // One in 400, as it is meant: 50 of these.
  expect(others.filter((key) => filter.mayHave(hashesOf(key))).length).toBeLessThan(150);
});

test("isFull says when there are as many keys as it was made for, each counted once", () => {
  const filter = new KeyFilter(1_024);
  for (let round = 0; round < 3; round++) for (let i = 0; i < 1_000; i++) filter.add(hashesOf(traceIdOf(i)));
  expect(filter.isFull).toBe(false);
  for (let i = 1_000; i < 1_200; i++) filter.add(hashesOf(traceIdOf(i)));
  expect(filter.isFull).toBe(true);
});
