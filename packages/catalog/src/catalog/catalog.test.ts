import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { emptyChange, isEmptyChange, serviceSchema, type TableChange } from "@datawire/protocol";
import { Catalog } from "./catalog.ts";
import { instance, routes, catalogOf } from "../testing/entities.ts";

const gone = (list: Partial<TableChange["gone"]>): TableChange => ({
  ...emptyChange(),
  gone: { ...emptyChange().gone, ...list },
});

test("apply() says which services may have changed, those that share into one included", () => {
  const table = catalogOf([instance("a@1(1)"), instance("b@1(1)"), instance("c@1(1)")], {
    tables: [routes("*", "a", [["//b", 1_000, { reading: "service" }]])],
  });
  expect(table.apply({ ...emptyChange(), instances: [instance("b@2(1)")] })).toEqual(new Set(["a", "b"]));
  expect(table.apply({ ...emptyChange(), instances: [instance("c@2(1)")] })).toEqual(new Set(["c"]));
  expect(table.apply({ ...emptyChange(), tables: [routes("x", "c", [["//c(1)", 1]])] })).toEqual(new Set(["c"]));
  expect(table.apply(gone({ tables: ["*>a"] }))).toEqual(new Set(["a", "b"]));
  expect(table.apply(gone({ tables: ["*>a"], instances: ["a@none"], services: ["none"] }))).toEqual(new Set());
});

test("service() shows instances in the order of their first registration, and only what is there", () => {
  const table = new Catalog();
  table.apply({
    ...emptyChange(),
    services: [serviceSchema.parse({ name: "a" })],
    instances: [instance("a@second(1)", { order: 2 }), instance("a@first(1)", { order: 1 }), instance("orphan@x(1)")],
  });
  expect(table.service("a")?.instances.map(({ name }) => name)).toEqual(["first", "second"]);
  expect(table.service("orphan")).toBeNull();
  table.apply(gone({ instances: ["a@first"] }));
  expect(table.service("a")?.instances.map(({ name }) => name)).toEqual(["second"]);
});

test("service() forgets the targets of a table that was replaced", () => {
  const table = catalogOf([instance("a@1(1)")], { tables: [routes("*", "a", [["//a@1", 0]])] });
  expect(table.service("a")?.named).toEqual(["//a@1"]);
  table.apply({ ...emptyChange(), tables: [routes("*", "a", [["//a(2)", 0]])] });
  expect(table.service("a")?.named).toEqual(["//a(2)"]);
});

const entity = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("x", "y", "z"), fc.integer({ min: 0, max: 2 }));
const content = fc
  .uniqueArray(entity, { selector: ([service, name]) => `${service}@${name}` })
  .map((list): TableChange => ({
    ...emptyChange(),
    services: [...new Set(list.map(([service]) => service))].map((name) => serviceSchema.parse({ name })),
    instances: list.map(([service, name, version], order) => instance(`${service}@${name}(${version})`, { order })),
    tables: [...new Set(list.map(([service]) => service))].map((service) =>
      routes("*", service, [[`//${service}(1)`, 100]]),
    ),
  }));

test("changeTo() is the change that makes one table equal to another, its hash included", () => {
  const sorted = (table: Catalog): unknown => {
    const { services, instances, tables } = table.snapshot();
    return [services, instances, tables].map((list) => list.map((one) => JSON.stringify(one)).toSorted());
  };
  fc.assert(
    fc.property(content, content, (before, after) => {
      const table = new Catalog();
      table.hash();
      table.apply(before);
      table.apply(table.changeTo(after));
      const wanted = new Catalog();
      wanted.apply(after);
      expect(sorted(table)).toEqual(sorted(wanted));
      expect(table.hash()).toBe(wanted.hash());
      expect(isEmptyChange(table.changeTo(after))).toBe(true);
    }),
  );
});
