import { expect, test } from "vitest";
import { Faults } from "./faults.ts";

const fault = (subject: string, message = "it failed") => ({ subject, message, remedy: null });
const at = (ms: number, jumpMs = 0) => ({ wallMs: ms + jumpMs, monotonicMs: ms });
const T0 = Date.parse("2026-11-30T00:00:00Z");

test("problems() shows each subject with its last fault, the newest first, and how many there were", () => {
  const faults = new Faults();
  faults.note(fault("a", "first"), at(T0));
  faults.note(fault("b"), at(T0 + 1));
  faults.note(fault("a", "second"), at(T0 + 2));
  expect(faults.problems(at(T0 + 3))).toEqual([
    { severity: "error", subject: "a", message: "second (2 times, last at 2026-11-30T00:00:00.002Z)", remedy: null },
    { severity: "error", subject: "b", message: "it failed (last at 2026-11-30T00:00:00.001Z)", remedy: null },
  ]);
});

test("problems() forgets a subject that has been well for an hour", () => {
  const faults = new Faults();
  faults.note(fault("a"), at(T0));
  expect(faults.problems(at(T0 + 3_600_000))).toHaveLength(1);
  expect(faults.problems(at(T0 + 3_600_001))).toEqual([]);
});

test("note() keeps a hundred subjects at the most", () => {
  const faults = new Faults();
  for (let i = 0; i < 1_000; i++) faults.note(fault(`subject ${i}`), at(T0));
  expect(faults.problems(at(T0))).toHaveLength(100);
  expect(faults.problems(at(T0))[0]?.subject).toBe("subject 999");
});

test.each([-7_200_000, 7_200_000])("problems() keeps to its time though the wall clock jumps by %i ms", (jumpMs) => {
  const faults = new Faults();
  faults.note(fault("a"), at(T0));
  expect(faults.problems(at(T0 + 3_600_000, jumpMs))).toHaveLength(1);
  expect(faults.problems(at(T0 + 3_600_001, jumpMs))).toEqual([]);
});
