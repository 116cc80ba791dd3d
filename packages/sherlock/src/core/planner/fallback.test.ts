import { expect, test } from "vitest";
import { fallbackLines } from "./fallback.ts";

const candidates = [
  { backend: "s:v1", group: "//s(1)", rank: 0, alive: true },
  { backend: "s:v1:path", group: "//s(1)", rank: 0, alive: false },
  { backend: "s:v2", group: "//s(2)", rank: 1, alive: true },
  { backend: "s:v3", group: "//s(3)", rank: 4, alive: true },
];

test("fallbackLines() tries the same group first, then by rank, and never one that is dead", () => {
  const lines = new Map(fallbackLines(candidates, { sameGroupOnly: false }));
  expect(lines.get("s:v1:path>s:v1:path")).toBe("s:v1");
  expect(lines.get("s:v1:path>s:v1")).toBe("s:v2");
  expect(lines.get("s:v1:path>s:v2")).toBe("s:v3");
  expect(lines.get("s:v1:path>s:v3")).toBeUndefined();
  expect([...lines.values()]).not.toContain("s:v1:path");
});

test("fallbackLines() stays in the group when the service has no failover", () => {
  expect(fallbackLines(candidates, { sameGroupOnly: true })).toEqual([["s:v1:path>s:v1:path", "s:v1"]]);
});
