import { expect, test } from "vitest";
import { type Belief, LIVE, UNKNOWN } from "../model/belief.ts";
import { combine, type Health } from "./health.ts";

const down = (reason: string): Belief => ({ state: "down", passes: 0, reason, cause: "failed" });
const unknown: Health = { state: "unknown" };
const live: Health = { state: "live" };

test.each<[string, Belief[], Health, Health]>([
  ["is live when all checks are", [LIVE, LIVE], unknown, live],
  ["is down when one check is", [LIVE, down("503")], live, { state: "down", reason: "503", cause: "failed" }],
  [
    "gives the reason of the first check that is down",
    [down("a"), down("b")],
    live,
    { state: "down", reason: "a", cause: "failed" },
  ],
  ["is unknown while a first check is out", [LIVE, UNKNOWN], unknown, unknown],
  ["stays live while a new check is out", [LIVE, UNKNOWN], live, live],
  [
    "is down at once when a check is, whatever is out",
    [UNKNOWN, down("a")],
    unknown,
    { state: "down", reason: "a", cause: "failed" },
  ],
])("combine() %s", (_, beliefs, before, expected) => {
  expect(combine(beliefs, before)).toEqual(expected);
});

test("combine() returns the same object when nothing changed", () => {
  const before = combine([down("503")], live);
  expect(combine([down("503")], before)).toBe(before);
});
