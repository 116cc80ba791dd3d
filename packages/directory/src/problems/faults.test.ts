import { expect, test } from "vitest";
import { Faults } from "./faults.ts";

const fault = (subject: string, message = "it failed") => ({ subject, message, remedy: null });
const T0 = Date.parse("2026-11-30T00:00:00Z");

test("problems() shows each subject with its last fault, the newest first, and how many there were", () => {
  const faults = new Faults();
  faults.note(fault("a", "first"), T0);
  faults.note(fault("b"), T0 + 1);
  faults.note(fault("a", "second"), T0 + 2);
  expect(faults.problems(T0 + 3)).toEqual([
    { severity: "error", subject: "a", message: "second (2 times, last at 2026-11-30T00:00:00.002Z)", remedy: null },
    { severity: "error", subject: "b", message: "it failed (last at 2026-11-30T00:00:00.001Z)", remedy: null },
  ]);
});

test("problems() forgets a subject that has been well for an hour", () => {
  const faults = new Faults();
  faults.note(fault("a"), T0);
  expect(faults.problems(T0 + 3_600_000)).toHaveLength(1);
  expect(faults.problems(T0 + 3_600_001)).toEqual([]);
});

test("note() keeps a hundred subjects at the most", () => {
  const faults = new Faults();
  for (let i = 0; i < 1_000; i++) faults.note(fault(`subject ${i}`), T0);
  expect(faults.problems(T0)).toHaveLength(100);
  expect(faults.problems(T0)[0]?.subject).toBe("subject 999");
});
