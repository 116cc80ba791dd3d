import { describe, expect, test } from "vitest";
import { addChange, dueAtMs } from "./coalesce.ts";

describe("dueAtMs()", () => {
  const limits = { quietMs: 25, waitMsMax: 1_000, gapMs: 300 };
  test.each([
    ["waits until nothing more comes", [0, 10], null, 35],
    ["waits no longer than the first change may", [0, 990], null, 1_000],
    ["leaves a gap after the last reload", [0], -100, 200],
  ])("%s", (_what, changes, last, due) => {
    const waiting = changes.reduce<ReturnType<typeof addChange> | null>(addChange, null);
    expect(waiting && dueAtMs(waiting, last, limits)).toBe(due);
  });
});
