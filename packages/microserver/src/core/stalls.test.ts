import { expect, test } from "vitest";
import { Stalls, type Watched } from "./stalls.ts";

test("Stalls.look() tells a stall once, when it has lasted, and again when it comes back", () => {
  const stalls = new Stalls(5_000);
  const link = {};
  const look = (waitsFor: Watched["waitsFor"], nowMs: number) =>
    stalls.look([[link, { address: "orders", role: "sender", waitsFor }]], nowMs);
  expect(look("no-credit", 0)).toEqual([]);
  expect(look("no-credit", 4_999)).toEqual([]);
  expect(look("no-credit", 5_000)).toEqual([{ address: "orders", role: "sender", reason: "no-credit", forMs: 5_000 }]);
  expect(look("no-credit", 9_000)).toEqual([]);
  expect(look(null, 9_500)).toEqual([]);
  expect(look("no-credit", 10_000)).toEqual([]);
  expect(look("no-credit", 15_000).length).toBe(1);
});
