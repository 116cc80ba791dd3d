import { expect, test } from "vitest";
import { emptyChange, type Instance, serviceSchema } from "@datawire/protocol";
import { Table } from "./table.ts";
import { SECTORS_MAX } from "@datawire/protocol";
import { countSectors, differingSectors, sectorsFor } from "./table-sectors.ts";
import { instance, routes } from "../testing/entities.ts";

function tableOf(names: Iterable<number>, version = 1): Table {
  const table = new Table();
  const instances: Instance[] = Array.from(names, (name) => instance(`barker@vm${name}(${version})`));
  table.apply({ ...emptyChange(), services: [serviceSchema.parse({ name: "barker", primary: "1" })], instances });
  return table;
}

test("sectors() is what docs/protocol.md says, for those who write another client", () => {
  const table = new Table();
  expect(table.sectors(2)).toBe("0000000000000000");
  table.apply({
    ...emptyChange(),
    services: [serviceSchema.parse({ name: "barker", primary: "1" })],
    instances: [instance("barker@vm101(1.4)", { reason: "naïve" })],
    tables: [routes("monolith", "barker", [["//barker(2)", 1_000]])],
  });
  expect(table.sectors(1)).toBe(table.hash().slice(0, 8));
  expect(table.sectors(4)).toBe("44031b98b9f0b78800000000bb6ef3ba");
});

test("sectors() follows changes as if the table had been made anew", () => {
  const table = tableOf(Array(100).keys());
  table.sectors(8);
  table.apply({ ...emptyChange(), gone: { services: [], instances: ["barker@vm7"], tables: [] } });
  table.apply({ ...emptyChange(), instances: [instance("barker@vm8(2)")] });
  const again = new Table();
  again.apply(table.snapshot());
  expect(table.sectors(8)).toBe(again.sectors(8));
  expect(table.hash()).toBe(again.hash());
});

test.each([
  ["nothing", tableOf([])],
  ["what another has and more", tableOf(Array(700).keys())],
  ["other versions of it", tableOf(Array(500).keys(), 2)],
])("the sectors that differ make one table the other: %s", (_, old) => {
  const current = tableOf(Array(600).keys());
  const count = sectorsFor(old.size.instances);
  const sectors = differingSectors(old.sectors(count), current.sectors(count));
  old.apply(old.changeTo(current.inSectors(sectors), sectors));
  expect(old.hash()).toBe(current.hash());
});

test("one entity that differs is one sector", () => {
  const old = tableOf(Array(3_000).keys());
  const current = tableOf(Array(3_001).keys());
  const count = sectorsFor(3_001);
  const sectors = differingSectors(old.sectors(count), current.sectors(count));
  expect(sectors).toMatchObject({ of: 128, these: [expect.any(Number)] });
  expect(current.inSectors(sectors).instances.length).toBeLessThan(100);
});

test.each([
  [0, 1],
  [32, 1],
  [33, 2],
  [105_000, 4_096],
  [5_000_000, SECTORS_MAX],
])("sectorsFor(%i) is %i", (entities, sectors) => {
  expect(sectorsFor(entities)).toBe(sectors);
});

test.each([
  ["", null],
  ["0", null],
  ["00000000", 1],
  ["00000000".repeat(3), null],
  ["00000000".repeat(64), 64],
])("countSectors(%j) is %j", (text, count) => {
  expect(countSectors(text)).toBe(count);
});
