import { expect, test } from "vitest";
import { changesSince, failuresOf, proxiedRequest } from "./data.ts";

const span = { service: "shop", instance: "vm1", start: 5_000 };

test.each([
  [{ "datawire.caller": "monolith", "url.path": "/shop/orders/17" }, "/orders/17"],
  [{ "datawire.caller": "monolith", "url.path": "/shop" }, "/"],
  [{ "datawire.caller": "monolith" }, "/"],
])("proxiedRequest() of %j has the path %s", (attributes, path) => {
  const request = { service: "shop", instance: "vm1", caller: "monolith", path, atMs: 5_000 };
  expect(proxiedRequest({ ...span, attributes })).toEqual(request);
});

test("proxiedRequest() of a span that no Sherlock made is null", () => {
  expect(proxiedRequest({ ...span, attributes: { "url.path": "/shop" } })).toBeNull();
});

const change = (seconds: number, action: string) => ({
  id: seconds,
  at: new Date(seconds * 1_000).toISOString(),
  who: "ann",
  verified: true,
  action,
  undone: false,
});
const HISTORY = [
  change(9, "service set //shopping retries=1"),
  change(8, "rollout 1, started by ann: step 1 of 2: //shop(2) 0% → 5% of any caller"),
  change(7, "instance drain //shop@vm1"),
  change(3, "route add //monolith //shop 5%"),
];

test.each([
  [2, 100, [8, 7, 3]],
  [6, 100, [8, 7]],
  [8, 100, []],
  // What was before the oldest entry of a history that is full is not known any more.
  [2, 4, null],
  [3, 4, [8, 7]],
])("changesSince() %i s, of a history of at most %i, is %j", (seconds, max, ids) => {
  const found = changesSince(HISTORY, { service: "shop", atMs: seconds * 1_000, max });
  expect(found?.map(({ id }) => id) ?? null).toEqual(ids);
});

test("failuresOf() has what failed in the order in which it is shown", () => {
  const spanOf = (spanId: string, parentId: string | null, start: number, status: string) =>
    ({ spanId, parentId, start, durationMs: 1, status }) as never;
  const spans = [spanOf("c", "a", 2, "error"), spanOf("b", "a", 1, "ok"), spanOf("a", null, 0, "error")];
  const events = ["INFO", "ERROR", "CRITICAL", "WARN"].map((level) => ({ id: level, level }) as never);
  expect(failuresOf({ spans, events })).toEqual(["span a", "span c", "message ERROR", "message CRITICAL"]);
});
