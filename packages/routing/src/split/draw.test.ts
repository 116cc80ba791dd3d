import { SLOTS } from "@datawire/protocol";
import { expect, test } from "vitest";
import { slotOf } from "./draw.ts";

test("slotOf() gives a value always the same slot, and values of another service others", () => {
  expect(slotOf("barker", "ann")).toBe(slotOf("barker", "ann"));
  expect(slotOf("barker", "ann")).not.toBe(slotOf("emitter", "ann"));
});

test("slotOf() spreads values evenly over the slots", () => {
  const low = Array.from({ length: 10_000 }, (_, i) => slotOf("barker", `user ${i}`)).filter(
    (slot) => slot < SLOTS / 4,
  );
  expect(Math.abs(low.length / 10_000 - 0.25)).toBeLessThan(0.02);
});
