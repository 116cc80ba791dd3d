import { rolloutFile } from "@datawire/api";
import { routes } from "@datawire/catalog/testing";
import { abort, begin, pause, readPlan } from "@datawire/rollout";
import { beforeEach, expect, test } from "vitest";
import { emptyChangeSet } from "../model/change-set.ts";
import { type Change, emptyRecord } from "../model/records.ts";
import type { RolloutRecord } from "../model/rollout-records.ts";
import { Rollouts } from "../model/rollouts.ts";
import { DIRECTORY } from "./author.ts";
import { touchedRollouts } from "./touched-rollouts.ts";

const BOB = { who: "bob", verified: false };
const { rollout } = begin(readPlan(rolloutFile.parse({ target: "//barker(2)" })), 0);
const record: RolloutRecord = {
  id: "7",
  service: "barker",
  caller: "*",
  rollout,
  before: null,
  ours: null,
  shared: false,
  by: "ann",
  startedAtMs: 0,
  endedAtMs: null,
  judge: "own",
};

let rollouts: Rollouts;
beforeEach(() => {
  rollouts = new Rollouts();
  rollouts.set("7", record);
});

const routesOf = (caller: string, service: string): Change => ({
  ...emptyChangeSet(),
  tables: [{ key: `${caller}>${service}`, before: null, after: routes(caller, service, [[`//${service}(3)`, 1]]) }],
});
const primary = (before: string | null, after: string): Change => {
  const service = emptyRecord("barker");
  return {
    ...emptyChangeSet(),
    services: [{ key: "barker", before: { ...service, primary: before }, after: { ...service, primary: after } }],
  };
};

test.each([
  ["routes of a hand", routesOf("*", "barker"), BOB, "paused", true, "its routes changed by bob"],
  ["routes whose time is over", routesOf("*", "barker"), DIRECTORY, "running", true, null],
  ["a primary of a hand", primary("1", "3"), BOB, "paused", false, "the primary changed by bob"],
  ["a primary that is gone", primary("1", "3"), DIRECTORY, "paused", false, "the primary changed by directory"],
])("touchedRollouts() knows %s", (_, change, author, state, shared, reason) => {
  const { records, words } = touchedRollouts(rollouts, change, author);
  expect(records).toMatchObject([{ kind: "rollout", id: "7", value: { shared, rollout: { state, reason } } }]);
  expect(words).toBe(state === "paused" ? "; rollout 7, started by ann, pauses" : "");
});

test.each([
  ["routes of another caller", routesOf("monolith", "barker")],
  ["routes to another service", routesOf("*", "other")],
  ["settings", { ...primary("1", "1") }],
])("touchedRollouts() leaves it alone for %s", (_, change) => {
  expect(touchedRollouts(rollouts, change, BOB).records).toEqual([]);
});

test("touchedRollouts() leaves what is over alone, and adds to why one is paused", () => {
  rollouts.set("7", { ...record, rollout: abort(rollout, "enough").rollout });
  expect(touchedRollouts(rollouts, routesOf("*", "barker"), BOB).records).toEqual([]);
  rollouts.set("7", { ...record, rollout: pause(rollout, "lunch").rollout });
  expect(touchedRollouts(rollouts, routesOf("*", "barker"), BOB).records).toMatchObject([
    { value: { shared: true, rollout: { state: "paused", reason: "lunch; its routes changed by bob" } } },
  ]);
});

test("touchedRollouts() says once that a rollout pauses, and once why, however often its routes change", () => {
  const change = routesOf("*", "barker");
  const first = touchedRollouts(rollouts, change, BOB);
  expect(first.notes).toEqual(["rollout 7, started by ann, is paused by this"]);
  for (const { id, value } of first.records) rollouts.set(id, value as RolloutRecord);
  const second = touchedRollouts(rollouts, change, BOB);
  expect(second).toMatchObject({ words: "", notes: [] });
  expect(second.records).toMatchObject([{ value: { rollout: { reason: "its routes changed by bob" } } }]);
});
