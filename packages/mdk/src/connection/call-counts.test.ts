import type { CatalogUpdate } from "@datawire/link";
import { beforeEach, expect, test } from "vitest";
import type { CallOutcome } from "../session/deps.ts";
import type { Node } from "../session/node.ts";
import { TestLink } from "../testing/links.ts";
import { choiceOf, TestClock } from "../testing/sessions.ts";
import { CallCounts } from "./call-counts.ts";

const { node } = choiceOf("a");
const at = (revision: number) => ({ epoch: "e", revision });
const update = (revision: number, routes = false): CatalogUpdate => ({
  services: new Set(["barker"]),
  position: at(revision),
  atMs: null,
  routes,
});
const good: CallOutcome = { node, failed: false, status: 200, ms: 3.7 };

let clock: TestClock;
let link: TestLink;
let counts: CallCounts;
beforeEach(() => {
  clock = new TestClock();
  link = new TestLink();
  counts = new CallCounts("sandbox", clock);
  counts.connected(link);
  counts.followed(link, update(7));
});

test("CallCounts tells each 5 s what calls to each node have come to, and nothing without a call", () => {
  clock.advance(60_000);
  expect([link.take("counters"), clock.timers]).toEqual([[], 0]);
  for (const outcome of [
    good,
    { ...good, ms: 20.5 },
    { ...good, status: 404, ms: 3 },
    { ...good, failed: true, status: 503 },
    { node, failed: true, status: null, ms: null },
    { node, failed: false, status: null, ms: null },
  ])
    counts.add(outcome);
  clock.advance(5_000);
  expect(link.take("counters")).toEqual([
    {
      type: "counters",
      periodMs: 5_000,
      since: at(7),
      counters: [
        {
          service: "barker",
          version: "1",
          instance: "a",
          requests: 6,
          responses: [0, 3, 0, 1, 1],
          failures: 1,
          latencyMs: { average: (3.7 + 20.5 + 3 + 3.7) / 4, max: 20.5 },
          latencies: [3, 3, 20, 1],
        },
      ],
    },
  ]);
  clock.advance(60_000);
  expect(link.take("counters")).toEqual([]);
});

test("CallCounts tells what went by the routes before apart from what goes by new ones, and then more often", () => {
  counts.add(good);
  clock.advance(1_000);
  counts.followed(link, update(8, true));
  expect(link.take("counters")).toMatchObject([{ periodMs: 1_000, since: at(7), counters: [{ requests: 1 }] }]);
  counts.add(good);
  counts.add(good);
  clock.advance(1_000);
  expect(link.take("counters")).toMatchObject([{ periodMs: 1_000, since: at(8), counters: [{ requests: 2 }] }]);
  clock.advance(40_000);
  counts.add(good);
  clock.advance(4_999);
  expect(link.take("counters")).toEqual([]);
});

test("CallCounts tells each directory, and knows what its link has not brought yet", () => {
  const other = new TestLink();
  counts.connected(other);
  counts.add(good);
  clock.advance(5_000);
  expect([link, other].map((one) => one.take("counters").map(({ since }) => since))).toEqual([[at(7)], [null]]);
  counts.disconnected(link);
  counts.disconnected(other);
  counts.add(good);
  clock.advance(5_000);
  expect([...link.take("counters"), ...other.take("counters")]).toEqual([]);
});

test("CallCounts leaves nodes of other environments alone, and has bounds", () => {
  counts.add({ ...good, node: { ...node, environment: "other" } });
  const many = Array.from({ length: 6_000 }, (_, i): Node => ({ ...node, id: `n${i}` }));
  for (const one of many) counts.add({ ...good, node: one });
  counts.tell();
  expect(link.take("counters").map(({ counters }) => counters.length)).toEqual(Array.from({ length: 10 }, () => 500));
});
