import { expect, test } from "vitest";
import { BUCKETS_MAX, emptyChange, type Instance, serviceSchema } from "@datawire/protocol";
import { Catalog } from "./catalog.ts";
import { countBuckets, differingBuckets, bucketsFor } from "./buckets.ts";
import { instance, routes } from "../testing/entities.ts";

function catalogOf(names: Iterable<number>, version = 1): Catalog {
  const table = new Catalog();
  const instances: Instance[] = Array.from(names, (name) => instance(`barker@vm${name}(${version})`));
  table.apply({ ...emptyChange(), services: [serviceSchema.parse({ name: "barker", primary: "1" })], instances });
  return table;
}

test("Catalog.buckets() is what docs/protocol.md says, for those who write another client", () => {
  const table = new Catalog();
  expect(table.buckets(2)).toBe("0000000000000000");
  table.apply({
    ...emptyChange(),
    services: [serviceSchema.parse({ name: "barker", primary: "1" })],
    instances: [instance("barker@vm101(1.4)", { reason: "naïve" })],
    tables: [routes("monolith", "barker", [["//barker(2)", 1_000]])],
  });
  expect(table.buckets(1)).toBe(table.hash().slice(0, 8));
  expect(table.buckets(4)).toBe("44031b98b9f0b78800000000bb6ef3ba");
});

test("Catalog.buckets() follows changes as if the table had been made anew", () => {
  const table = catalogOf(Array(100).keys());
  table.buckets(8);
  table.apply({ ...emptyChange(), gone: { services: [], instances: ["barker@vm7"], tables: [] } });
  table.apply({ ...emptyChange(), instances: [instance("barker@vm8(2)")] });
  const again = new Catalog();
  again.apply(table.snapshot());
  expect(table.buckets(8)).toBe(again.buckets(8));
  expect(table.hash()).toBe(again.hash());
});

test.each([
  ["nothing", catalogOf([])],
  ["what another has and more", catalogOf(Array(700).keys())],
  ["other versions of it", catalogOf(Array(500).keys(), 2)],
])("the buckets that differ make one table the other: %s", (_, old) => {
  const current = catalogOf(Array(600).keys());
  const count = bucketsFor(old.size.instances);
  const buckets = differingBuckets(old.buckets(count), current.buckets(count));
  old.apply(old.changeTo(current.inBuckets(buckets), buckets));
  expect(old.hash()).toBe(current.hash());
});

test("one entity that differs is one bucket", () => {
  const old = catalogOf(Array(3_000).keys());
  const current = catalogOf(Array(3_001).keys());
  const count = bucketsFor(3_001);
  const buckets = differingBuckets(old.buckets(count), current.buckets(count));
  expect(buckets).toMatchObject({ of: 128, these: [expect.any(Number)] });
  expect(current.inBuckets(buckets).instances.length).toBeLessThan(100);
});

test.each([
  [0, 1],
  [32, 1],
  [33, 2],
  [105_000, 4_096],
  [5_000_000, BUCKETS_MAX],
])("bucketsFor(%i) is %i", (entities, buckets) => {
  expect(bucketsFor(entities)).toBe(buckets);
});

test.each([
  ["", null],
  ["0", null],
  ["00000000", 1],
  ["00000000".repeat(3), null],
  ["00000000".repeat(64), 64],
])("countBuckets(%j) is %j", (text, count) => {
  expect(countBuckets(text)).toBe(count);
});
