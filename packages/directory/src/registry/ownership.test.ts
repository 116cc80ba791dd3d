import { expect, test } from "vitest";
import { CatalogWriter } from "../feed/catalog-writer.ts";
import { at, LEASE_MS, registration, watson } from "../testing/worlds.ts";
import { Ownership } from "./ownership.ts";
import { Primaries } from "./primaries.ts";
import { Projection } from "./projection.ts";
import { Services } from "./services.ts";

function open(): { ownership: Ownership; table: CatalogWriter["table"] } {
  const writer = new CatalogWriter();
  const services = new Services(writer);
  const primaries = new Primaries(services, writer.table, { promotionDelayMs: 0 });
  const projection = new Projection({ writer, services, primaries });
  const guard = { share: 1, minimum: 10 };
  return { ownership: new Ownership({ leaseMs: LEASE_MS, guard }, projection), table: writer.table };
}

/** A Watson that is connected here and holds some instances. */
function connected(ownership: Ownership, name: string, instances: readonly string[]): string {
  const { id } = watson(name);
  ownership.attach(watson(name), at(0));
  ownership.place(watson(name), { state: "here" }, { sinceMs: 0, moment: at(0) });
  for (const text of instances) adopt(ownership, name, text);
  return id;
}

function adopt(ownership: Ownership, name: string, text: string) {
  const said = registration(text);
  const statement = { said, saidSinceMs: 0 };
  return ownership.adopt(watson(name).id, `${said.service}@${said.name}`, { statement, moment: at(0) });
}

const lose = (ownership: Ownership, name: string, ms: number) =>
  ownership.place(watson(name), { state: "lost", replica: null }, { sinceMs: ms, moment: at(ms) });

test("adopt() returns the instance whose description changed, and nothing for one that is said again", () => {
  const { ownership } = open();
  const id = connected(ownership, "vm1", []);
  expect(adopt(ownership, "vm1", "barker@a:1")).toEqual({ watson: id, moved: false, instances: ["barker@a"] });
  expect(adopt(ownership, "vm1", "barker@a:1").instances).toEqual([]);
  expect(adopt(ownership, "vm1", "barker@a:2").instances).toEqual(["barker@a"]);
});

test("adopt() takes an instance from whoever held it", () => {
  const { ownership } = open();
  connected(ownership, "vm1", ["barker@a", "barker@b"]);
  connected(ownership, "vm2", ["barker@a"]);
  expect(ownership.owner("barker@a")?.identity.name).toBe("vm2");
  expect([...(ownership.watson(watson("vm1").id)?.held.keys() ?? [])]).toEqual(["barker@b"]);
  expect(ownership.instances).toBe(2);
});

test("place() returns whether the Watson is seen elsewhere than before", () => {
  const { ownership, table } = open();
  connected(ownership, "vm1", ["barker@a"]);
  expect(lose(ownership, "vm1", 1).moved).toBe(true);
  expect(table.instance("barker@a")?.state).toBe("lost");
  expect(lose(ownership, "vm1", 2).moved).toBe(false);
});

test("expire() returns who is forgotten, what that one held, and the directory that saw it last", () => {
  const { ownership, table } = open();
  const id = connected(ownership, "vm1", ["barker@a", "barker@b"]);
  ownership.place(watson("vm1"), { state: "lost", replica: "other" }, { sinceMs: 0, moment: at(0) });
  expect(ownership.expire(at(LEASE_MS - 1))).toEqual([]);
  expect(ownership.expire(at(LEASE_MS))).toEqual([
    { watson: id, moved: true, instances: ["barker@a", "barker@b"], lastReplica: "other" },
  ]);
  expect(ownership.watson(id)).toBe(null);
  expect(table.instance("barker@a")).toBe(null);
});

test("attach() of a Watson that is lost gives it another lease, and place() here ends it", () => {
  const { ownership } = open();
  connected(ownership, "vm1", ["barker@a"]);
  lose(ownership, "vm1", 0);
  ownership.attach(watson("vm1"), at(LEASE_MS - 1));
  expect(ownership.expire(at(LEASE_MS))).toEqual([]);
  ownership.place(watson("vm1"), { state: "here" }, { sinceMs: LEASE_MS, moment: at(LEASE_MS) });
  expect(ownership.expire(at(LEASE_MS * 5))).toEqual([]);
});

test("meet() of an unknown Watson gives it a lease, and leaves a known one as it is", () => {
  const { ownership } = open();
  const id = connected(ownership, "vm1", ["barker@a"]);
  expect(ownership.meet(watson("vm1"), at(1)).location).toEqual({ state: "here" });
  ownership.meet(watson("vm2"), at(1));
  expect(ownership.expire(at(LEASE_MS + 1)).map((one) => one.watson)).toEqual([watson("vm2").id]);
  expect(ownership.watson(id)?.held.size).toBe(1);
});

test("release() of an instance that nobody holds changes nothing", () => {
  expect(open().ownership.release("barker@a", at(0))).toBe(null);
});
