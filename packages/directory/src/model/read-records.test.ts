import { ProtocolError } from "@datawire/protocol";
import fc from "@datawire/protocol/testing/random";
import { rolloutFile } from "@datawire/api";
import { begin, readPlan } from "@datawire/rollout";
import { expect, test } from "vitest";
import { registration } from "../testing/worlds.ts";
import { readRecord, readStoredRegistration } from "./read-records.ts";
import { emptyRecord, recordKey } from "./records.ts";

const route = {
  target: "//barker(2)",
  share: 10,
  slots: [[0, 10]],
  when: null,
  reading: "caller",
  order: 0,
  expiry: null,
};
const table = { caller: "m", service: "barker", sticky: null, routes: [route] };
const service = { ...emptyRecord("barker"), primary: "1" };
const drain = { key: "barker@a", atMs: 1, who: "ann" };
const caller = { name: "m", kind: "sherlock", seenMs: 1 };
const change = {
  tables: [{ key: "m>barker", before: null, after: table }],
  services: [{ key: "barker", before: service, after: null }],
  drains: [{ key: "barker@a", before: null, after: drain }],
};
const entry = { id: 3, atMs: 1, who: "ann", verified: false, action: "x", undone: false, undoable: true, change };

const { rollout } = begin(
  readPlan(
    rolloutFile.parse({
      target: "//barker(2)",
      from: "//m",
      steps: "10%:5m,50%:5m",
      checks: [
        "error-rate <= primary + 1%",
        "p99 <= 300ms",
        { metric: "c", prometheus: "http://p", query: "q", limit: "< 1" },
      ],
      sticky: "cookie:user",
    }),
  ),
  7,
);
const record = {
  id: "12",
  service: "barker",
  caller: "m",
  rollout,
  before: null,
  ours: table,
  shared: false,
  by: "ann",
  startedAtMs: 7,
  endedAtMs: null,
  judge: "own",
};
const evidence = { requests: 5, errors: 1, latencies: [3, 5] };
const tally = { rollout: "12", replica: "own", turn: "0@7", target: evidence, primary: evidence, watchers: 1 };
const planned = (fields: object) => ({ ...record, rollout: { ...rollout, plan: { ...rollout.plan, ...fields } } });

const GOOD = [
  ["table/m>barker", table],
  ["table/*>barker", { ...table, caller: "*" }],
  ["service/barker", service],
  ["service/__proto__", emptyRecord("__proto__")],
  ["drain/barker@a", drain],
  ["caller/constructor", { ...caller, name: "constructor" }],
  ["history/3", entry],
  ["rollout/12", record],
  ["tally/12.own", tally],
] as const;

test.each(GOOD)("readRecord() reads %s", (key, value) => {
  const read = readRecord(key, value);
  expect(read.value).toEqual(value);
  expect(recordKey(read)).toBe(key);
  expect(readRecord(key, null).value).toBe(null);
});

test.each<[string, string, unknown, RegExp]>([
  ["a kind that every object has", "constructor/x", {}, /its kind is unknown/],
  ["a kind that is the prototype", "__proto__/x", {}, /its kind is unknown/],
  ["a key without a kind", "table", table, /its kind is unknown/],
  ["text that is no JSON", "table/m>barker", "{", /expected object/],
  ["a table under another key", "table/x>barker", table, /it says that it is table\/m>barker/],
  ["a target", "table/m>barker", { ...table, routes: [{ ...route, target: "garbage" }] }, /"garbage"/],
  ["slots", "table/m>barker", { ...table, routes: [{ ...route, slots: [[9, 1]] }] }, /not ascending/],
  ["a condition", "table/m>barker", { ...table, routes: [{ ...route, when: "nonsense" }] }, /"nonsense"/],
  ["a service of another name", "service/other", service, /it says that it is service\/barker/],
  ["a name that is none", "service/a b", emptyRecord("a b"), /"a b" is no name/],
  ["a primary that is none", "service/barker", { ...service, primary: "1.2" }, /"1.2" as a primary/],
  ["a policy", "service/barker", { ...service, settings: { balance: "x" } }, /"x" as balance/],
  ["a drain of nothing", "drain/barker", { ...drain, key: "barker" }, /it names no instance/],
  ["a drain of another key", "drain/barker@b", drain, /it says that it is drain\/barker@a/],
  ["a moment that is none", "drain/barker@a", { ...drain, atMs: 1e300 }, /atMs: /],
  ["a caller with another name", "caller/x", caller, /it says that it is caller\/m/],
  ["a change without a number", "history/x", entry, /its id is no number/],
  ["a number that leaves no room", "history/999999999999999999", entry, /its id is no number/],
  ["a change of another number", "history/4", entry, /it says that it is history\/3/],
  ["a rollout of another number", "rollout/13", record, /it says that it is rollout\/12/],
  ["a rollout of another service", "rollout/12", planned({ target: "//other(2)" }), /of another service/],
  ["a rollout of nothing", "rollout/12", planned({ target: "//barker" }), /neither a version nor an instance/],
  ["a rollout of another caller", "rollout/12", planned({ from: null }), /its caller is not that of its plan/],
  ["a rollout by what is no key", "rollout/12", planned({ sticky: "x" }), /"x" as --sticky/],
  ["a rollout without its steps", "rollout/12", planned({ steps: rollout.plan.steps.slice(1) }), /do not fit/],
  [
    "a rollout with a limit that no bound is found for",
    "rollout/12",
    planned({ checks: [{ kind: "error-rate", name: "x", limit: { kind: "fixed", value: 0 } }] }),
    /checks.0.limit.value/,
  ],
  [
    "a rollout that would set others' routes",
    "rollout/12",
    { ...record, before: { ...table, caller: "n" } },
    /another caller/,
  ],
  ["a tally of another directory", "tally/12.other", tally, /it says that it is tally\/12.own/],
  [
    "a change that an undo could not bring back",
    "history/3",
    { ...entry, change: { ...change, tables: [{ key: "m>barker", before: { ...table, sticky: "x" }, after: null }] } },
    /"history\/3": Cannot read record "table\/m>barker": .*"x" as --sticky/,
  ],
  [
    "a change whose key is another one",
    "history/3",
    { ...entry, change: { ...change, tables: [{ key: "n>barker", before: table, after: null }] } },
    /it says that it is table\/m>barker/,
  ],
])("readRecord() refuses %s", (_, key, value, reason) => {
  expect(() => readRecord(key, value)).toThrow(reason);
  expect(() => readRecord(key, value)).toThrow(ProtocolError);
});

const stored = {
  watson: { id: "id-of-vm1", name: "vm1", version: "1" },
  registration: registration("barker@a:1"),
  order: 0,
  sinceMs: 1,
};

test.each<[string, string, object, RegExp]>([
  ["a URL", "barker@a", { registration: { ...stored.registration, url: "x" } }, /"x" as the URL/],
  ["another key", "barker@b", {}, /it says that it is barker@a/],
  ["a moment", "barker@a", { sinceMs: -1 }, /sinceMs: /],
  ["a place", "barker@a", { order: 2 ** 53 }, /order: /],
])("readStoredRegistration() refuses %s", (_, key, fields, reason) => {
  expect(() => readStoredRegistration(key, { ...stored, ...fields })).toThrow(reason);
});

test("readStoredRegistration() reads what a directory has written", () => {
  expect(readStoredRegistration("barker@a", stored)).toEqual(stored);
});

/** A value in which one thing, at any depth, is something else. */
function spoilt(value: unknown): fc.Arbitrary<unknown> {
  const other = fc.constantFrom<unknown>(null, 0, -1, 1e300, "", "x", "__proto__", [], {}, true, undefined);
  if (typeof value !== "object" || value === null) return other;
  const keys = Object.keys(value);
  if (keys.length === 0) return other;
  return fc.oneof(
    { weight: 1, arbitrary: other },
    {
      weight: 4,
      arbitrary: fc
        .constantFrom(...keys)
        .chain((key) =>
          spoilt((value as Record<string, unknown>)[key]).map((inner) =>
            Array.isArray(value) ? value.with(Number(key), inner) : { ...value, [key]: inner },
          ),
        ),
    },
  );
}

test("readRecord() reads any value, or says with a ProtocolError why not", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...GOOD).chain(([key, value]) => spoilt(value).map((bad) => [key, bad] as const)),
      ([key, value]) => {
        try {
          readRecord(key, value);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
