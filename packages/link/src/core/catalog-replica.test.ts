import type { Instance, TableChange } from "@datawire/protocol";
import { emptyChange } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { delta, instance, service, snapshot } from "../testing/entities.ts";
import { CatalogReplica, type CatalogMessage } from "./catalog-replica.ts";

const names = (copy: CatalogReplica): string =>
  [...copy.table.instances()]
    .map(({ name }) => name)
    .sort()
    .join(" ");

/** Applies messages of which none may be a gap. */
function follow(copy: CatalogReplica, ...messages: CatalogMessage[]): void {
  for (const message of messages) {
    const applied = copy.apply(message);
    if (applied.state === "gap") throw new Error(applied.reason);
  }
}

const services = [service("barker")];
const [a, b, c] = [instance("barker", "a"), instance("barker", "b"), instance("barker", "c")];

test("apply() takes a snapshot in parts only when the last has come", () => {
  const copy = new CatalogReplica();
  expect(copy.apply(snapshot(7, { services, instances: [a], last: false })).state).toBe("pending");
  expect(names(copy)).toBe("");
  expect(copy.have()).toBe(null);
  const applied = copy.apply(snapshot(7, { instances: [b], part: 1 }));
  expect(applied).toMatchObject({ state: "updated", update: { position: { epoch: "e1", revision: 7 }, atMs: null } });
  expect(names(copy)).toBe("a b");
});

test("apply() drops half a snapshot when the connection breaks", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(7, { services, instances: [a], last: false }));
  copy.disconnected();
  expect(copy.apply(snapshot(7, { instances: [b], part: 1 })).state).toBe("gap");
  follow(copy, snapshot(8, { services, instances: [c] }));
  expect(names(copy)).toBe("c");
});

test.each<[string, CatalogMessage]>([
  ["of another epoch", delta(7, {}, "e2")],
  ["from a later revision", delta(8, {})],
  ["from an earlier revision", delta(6, {})],
])("apply() finds a gap at a delta %s and changes nothing", (_, message) => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(7, { services, instances: [a] }));
  expect(copy.apply(message).state).toBe("gap");
  expect(names(copy)).toBe("a");
  expect(copy.position).toEqual({ epoch: "e1", revision: 7 });
});

test("apply() finds a gap at parts of a snapshot out of turn", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(7, { services, instances: [a], last: false }));
  expect(copy.apply(snapshot(7, { instances: [b], part: 2 })).state).toBe("gap");
  follow(copy, snapshot(7, { services, instances: [a], last: false }));
  expect(copy.apply(snapshot(8, { instances: [b], part: 1 })).state).toBe("gap");
  expect(names(copy)).toBe("");
});

test("apply() names the services that changed, and none when only the revision moved", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(1, { services: [service("barker"), service("emitter")], instances: [a] }));
  const changed = copy.apply(delta(1, { instances: [b] }));
  expect(changed).toMatchObject({ update: { services: new Set(["barker"]), atMs: 1_000 } });
  const moved = copy.apply(delta(2, {}));
  expect(moved).toMatchObject({ update: { services: new Set(), position: { revision: 3 } } });
});

test("apply() changes only what differs when a whole snapshot comes again", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(1, { services, instances: [a, b] }));
  const again = copy.apply(snapshot(1, { epoch: "e2", services, instances: [a, b] }));
  expect(again).toMatchObject({ update: { services: new Set(), position: { epoch: "e2", revision: 1 } } });
});

test("apply() believes a smaller table of a directory that is warm", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(1, { services, instances: [a, b] }), snapshot(2, { services, instances: [b] }));
  expect(names(copy)).toBe("b");
});

test("apply() keeps what a warming directory lacks until it is warm", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(9, { services, instances: [a, b, c] }));
  follow(copy, snapshot(1, { epoch: "e2", warming: true }));
  expect(names(copy)).toBe("a b c");
  expect(copy.warming).toBe(true);
  follow(copy, delta(1, { services, instances: [b] }, "e2"));
  follow(copy, { type: "warm" });
  expect(names(copy)).toBe("b");
  expect(copy.warming).toBe(false);
});

test("apply() lets go during a warm-up of what the directory says is gone", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(9, { services, instances: [a, b] }));
  follow(copy, snapshot(1, { epoch: "e2", services, instances: [b], warming: true }));
  follow(copy, delta(1, { gone: { services: [], instances: ["barker@b"], tables: [] } }, "e2"));
  expect(names(copy)).toBe("a");
});

test("apply() keeps no instance through a warm-up at whose address the directory knows of something else", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(9, { services, instances: [a, b, c] }));
  const other = { ...instance("emitter", "x"), url: a.url };
  follow(
    copy,
    snapshot(1, { epoch: "e2", services: [...services, service("emitter")], instances: [other], warming: true }),
  );
  expect(names(copy)).toBe("b c x");
  follow(copy, delta(1, { instances: [{ ...instance("emitter", "y"), url: b.url, state: "down" }] }, "e2"));
  expect(names(copy)).toBe("c x y");
  follow(copy, delta(2, { instances: [{ ...instance("emitter", "z"), url: c.url, state: "lost" }] }, "e2"));
  expect(names(copy)).toBe("c x y z");
});

test("have() asks for all while the copy holds more than the directory named", () => {
  const copy = new CatalogReplica();
  copy.restore({ ...emptyChange(), services, instances: [a] }, { epoch: "e1", revision: 4 });
  expect(copy.have()).toEqual({ epoch: "e1", revision: 4, hash: copy.table.hash(), sectors: copy.table.buckets(1) });
  expect(copy.resumable()).toEqual({ epoch: "e1", revision: 4 });
  follow(copy, snapshot(1, { epoch: "e2", warming: true }));
  expect(copy.have()).toBe(null);
  follow(copy, { type: "warm" });
  expect(copy.have()).toMatchObject({ epoch: "e2", revision: 1 });
});

const hashOf = (...instances: Instance[]): string => {
  const table = new Catalog();
  table.apply({ ...emptyChange(), services, instances });
  return table.hash();
};

test("apply() takes a table with another hash, and says so", () => {
  const copy = new CatalogReplica();
  const whole = snapshot(1, { services, instances: [a], hash: hashOf(a) });
  expect(copy.apply(whole).state).toBe("updated");
  expect(copy.apply({ ...delta(1, { instances: [b] }), hash: hashOf(a, b) }).state).toBe("updated");
  expect(copy.apply(delta(2, { instances: [c] })).state).toBe("updated");
  const differs = copy.apply({
    ...delta(3, { gone: { services: [], instances: ["barker@a"], tables: [] } }),
    hash: hashOf(b),
  });
  expect(differs).toEqual({
    state: "diverged",
    update: { services: new Set(["barker"]), position: { epoch: "e1", revision: 4 }, atMs: 1_000 },
    reason: `the table of e1:4 has the hash ${hashOf(b)} there and ${hashOf(b, c)} here`,
    whole: false,
  });
  expect(names(copy)).toBe("b c");
});

/** Two instances of which each is in a bucket of its own, of two. */
const apart = ((): readonly [Instance, Instance] => {
  const table = new Catalog();
  table.apply({ ...emptyChange(), instances: [a, b, c] });
  const bucketOf = (one: Instance) => (table.inBuckets({ of: 2, these: [0] }).instances.includes(one) ? 0 : 1);
  const low = [a, b, c].find((one) => bucketOf(one) === 0);
  const high = [a, b, c].find((one) => bucketOf(one) === 1);
  if (low === undefined || high === undefined) throw new Error("Cannot tell buckets apart: choose other names");
  return [low, high];
})();

test("apply() of some buckets leaves the others as they are", () => {
  const [low, high] = apart;
  const copy = new CatalogReplica();
  follow(copy, snapshot(7, { services: [], instances: [low, high] }));
  const sectors = { of: 2, these: [0] };
  const kept = new Catalog();
  kept.apply({ ...emptyChange(), instances: [high] });
  const applied = copy.apply(snapshot(3, { epoch: "e2", sectors, hash: kept.hash() }));
  expect(applied).toMatchObject({ state: "updated", update: { position: { epoch: "e2", revision: 3 } } });
  expect(names(copy)).toBe(high.name);
});

test("apply() of some buckets that lead to another table says that there is a whole to be asked for", () => {
  const [low, high] = apart;
  const copy = new CatalogReplica();
  follow(copy, snapshot(7, { services: [], instances: [low, high] }));
  const sectors = { of: 2, these: [0] };
  expect(copy.apply(snapshot(3, { epoch: "e2", sectors, hash: hashOf(a) }))).toMatchObject({
    state: "diverged",
    whole: false,
  });
});

test("apply() compares nothing while it keeps what a warming directory lacks", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(9, { services, instances: [a, b] }));
  const warming = snapshot(1, { epoch: "e2", services, instances: [b], warming: true, hash: hashOf(b) });
  expect(copy.apply(warming).state).toBe("updated");
  const changed = { ...delta(1, { instances: [c] }, "e2"), hash: hashOf(b, c) };
  expect(copy.apply(changed).state).toBe("updated");
  follow(copy, { type: "warm" });
  expect(copy.apply({ ...delta(2, {}, "e2"), hash: hashOf(b, c) }).state).toBe("updated");
});

test("apply() goes on from a new position where nothing but that has changed", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(9, { services, instances: [a] }));
  const empty = { ...delta(3, {}, "e2"), revision: 3 };
  expect(copy.apply({ ...empty, hash: hashOf(b) }).state).toBe("gap");
  expect(copy.apply(empty).state).toBe("gap");
  expect(copy.apply({ ...empty, hash: hashOf(a) })).toMatchObject({
    state: "updated",
    update: { services: new Set(), position: { epoch: "e2", revision: 3 } },
  });
  follow(copy, delta(3, { instances: [b] }, "e2"));
  expect(names(copy)).toBe("a b");
});

test("apply() believes a second snapshot that ends the warm-up without a word", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(9, { services, instances: [a, b] }));
  follow(copy, snapshot(1, { epoch: "e2", warming: true }), snapshot(3, { epoch: "e2", services, instances: [b] }));
  expect(names(copy)).toBe("b");
});

test("apply() reaches the directory's table whatever the parts, restarts and warm-ups in between", () => {
  const pool = ["a", "b", "c", "d", "e"].map((name) => instance("barker", name));
  const step = fc.record({
    members: fc.subarray(pool),
    how: fc.constantFrom("delta", "snapshot", "restart", "break"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const copy = new CatalogReplica();
      const truth = new Catalog();
      let epoch = 0;
      let revision = 0;
      follow(copy, snapshot(0, { epoch: "0" }));
      for (const { members, how } of steps) {
        const change = truth.changeTo({ ...emptyChange(), services, instances: members } satisfies TableChange);
        truth.apply(change);
        if (how === "delta") {
          const message = { ...delta(revision, change, String(epoch)) };
          if (copy.apply(message).state === "gap") throw new Error("gap");
          revision += 1;
          continue;
        }
        if (how === "break") {
          copy.disconnected();
          revision += 1; // what happened meanwhile is in the snapshot below
        }
        if (how === "restart") {
          epoch += 1;
          revision = 0;
          follow(copy, snapshot(0, { epoch: String(epoch), warming: true, instances: members.slice(0, 1) }));
        }
        const whole = snapshot(revision, { epoch: String(epoch), services, last: false });
        follow(copy, whole, { ...whole, services: [], instances: members, part: 1, last: true });
      }
      const sorted = (table: Catalog): string[] => [...table.instances()].map(({ name }) => name).sort();
      expect(sorted(copy.table)).toEqual(sorted(truth));
    }),
  );
});

/** What a directory has and this version cannot read. */
const unread = { kind: "instance", key: "barker@b", reason: "Cannot read instance barker@b: why" } as const;

test("apply() keeps what it knows of an entity that cannot be read any more, until the directory says another thing", () => {
  const copy = new CatalogReplica();
  follow(copy, snapshot(7, { services, instances: [a, b] }));
  follow(copy, { ...delta(7, {}), leftOut: [unread] });
  expect(names(copy)).toBe("a b");
  expect(copy.leftOut).toEqual([unread]);
  follow(copy, { ...snapshot(9, { services, instances: [a, c] }), leftOut: [unread] });
  expect(names(copy)).toBe("a b c");
  follow(copy, delta(9, { gone: { services: [], instances: ["barker@b"], tables: [] } }));
  expect(names(copy)).toBe("a c");
  expect(copy.leftOut).toEqual([]);
});

test("apply() compares no table of which it could not read all", () => {
  const copy = new CatalogReplica();
  const hash = "0123456789abcdef";
  expect(copy.apply({ ...snapshot(7, { services, hash }), leftOut: [unread] }).state).toBe("updated");
  expect(copy.apply({ ...delta(7, { instances: [b] }), hash }).state).toBe("diverged");
});
