import { emptyChange, type Instance, type TableChange } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { delta, instance, service, snapshot } from "../testing/entities.ts";
import { CatalogReplica, type CatalogMessage } from "./catalog-replica.ts";

const names = (replica: CatalogReplica): string =>
  [...replica.table.instances()]
    .map(({ name }) => name)
    .sort()
    .join(" ");

/** Applies messages of which none may be a gap. */
function follow(replica: CatalogReplica, ...messages: CatalogMessage[]): void {
  for (const message of messages) {
    const applied = replica.apply(message);
    if (applied.state === "gap") throw new Error(applied.reason);
  }
}

const services = [service("barker")];
const [a, b, c] = [instance("barker", "a"), instance("barker", "b"), instance("barker", "c")];

test("apply() takes a snapshot in parts only when the last has come", () => {
  const replica = new CatalogReplica();
  expect(replica.apply(snapshot(7, { services, instances: [a], last: false })).state).toBe("pending");
  expect(names(replica)).toBe("");
  expect(replica.have()).toBe(null);
  const applied = replica.apply(snapshot(7, { instances: [b], part: 1 }));
  expect(applied).toMatchObject({ state: "updated", update: { position: { epoch: "e1", revision: 7 }, atMs: null } });
  expect(names(replica)).toBe("a b");
});

test("apply() drops half a snapshot when the connection breaks", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(7, { services, instances: [a], last: false }));
  replica.disconnected();
  expect(replica.apply(snapshot(7, { instances: [b], part: 1 })).state).toBe("gap");
  follow(replica, snapshot(8, { services, instances: [c] }));
  expect(names(replica)).toBe("c");
});

test.each<[string, CatalogMessage]>([
  ["of another epoch", delta(7, {}, "e2")],
  ["from a later revision", delta(8, {})],
  ["from an earlier revision", delta(6, {})],
])("apply() finds a gap at a delta %s and changes nothing", (_, message) => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(7, { services, instances: [a] }));
  expect(replica.apply(message).state).toBe("gap");
  expect(names(replica)).toBe("a");
  expect(replica.position).toEqual({ epoch: "e1", revision: 7 });
});

test("apply() finds a gap at parts of a snapshot out of turn", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(7, { services, instances: [a], last: false }));
  expect(replica.apply(snapshot(7, { instances: [b], part: 2 })).state).toBe("gap");
  follow(replica, snapshot(7, { services, instances: [a], last: false }));
  expect(replica.apply(snapshot(8, { instances: [b], part: 1 })).state).toBe("gap");
  expect(names(replica)).toBe("");
});

test("apply() names the services that changed, and none when only the revision moved", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(1, { services: [service("barker"), service("emitter")], instances: [a] }));
  const changed = replica.apply(delta(1, { instances: [b] }));
  expect(changed).toMatchObject({ update: { services: new Set(["barker"]), atMs: 1_000 } });
  const moved = replica.apply(delta(2, {}));
  expect(moved).toMatchObject({ update: { services: new Set(), position: { revision: 3 } } });
});

test("apply() changes only what differs when a whole snapshot comes again", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(1, { services, instances: [a, b] }));
  const again = replica.apply(snapshot(1, { epoch: "e2", services, instances: [a, b] }));
  expect(again).toMatchObject({ update: { services: new Set(), position: { epoch: "e2", revision: 1 } } });
});

test("apply() believes a smaller table of a directory that is warm", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(1, { services, instances: [a, b] }), snapshot(2, { services, instances: [b] }));
  expect(names(replica)).toBe("b");
});

test("apply() keeps what a warming directory lacks until it is warm", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(9, { services, instances: [a, b, c] }));
  follow(replica, snapshot(1, { epoch: "e2", warming: true }));
  expect(names(replica)).toBe("a b c");
  expect(replica.warming).toBe(true);
  follow(replica, delta(1, { services, instances: [b] }, "e2"));
  follow(replica, { type: "warm" });
  expect(names(replica)).toBe("b");
  expect(replica.warming).toBe(false);
});

test("apply() lets go during a warm-up of what the directory says is gone", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(9, { services, instances: [a, b] }));
  follow(replica, snapshot(1, { epoch: "e2", services, instances: [b], warming: true }));
  follow(replica, delta(1, { gone: { services: [], instances: ["barker@b"], tables: [] } }, "e2"));
  expect(names(replica)).toBe("a");
});

test("apply() keeps no instance through a warm-up at whose address the directory knows of something else", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(9, { services, instances: [a, b, c] }));
  const other = { ...instance("emitter", "x"), url: a.url };
  follow(
    replica,
    snapshot(1, { epoch: "e2", services: [...services, service("emitter")], instances: [other], warming: true }),
  );
  expect(names(replica)).toBe("b c x");
  follow(replica, delta(1, { instances: [{ ...instance("emitter", "y"), url: b.url, state: "down" }] }, "e2"));
  expect(names(replica)).toBe("c x y");
  follow(replica, delta(2, { instances: [{ ...instance("emitter", "z"), url: c.url, state: "lost" }] }, "e2"));
  expect(names(replica)).toBe("c x y z");
});

test("have() asks for all while the replica holds more than the directory named", () => {
  const replica = new CatalogReplica();
  replica.restore({ ...emptyChange(), services, instances: [a] }, { epoch: "e1", revision: 4 });
  expect(replica.have()).toEqual({
    epoch: "e1",
    revision: 4,
    hash: replica.table.hash(),
    sectors: replica.table.buckets(1),
  });
  expect(replica.resumable()).toEqual({ epoch: "e1", revision: 4 });
  follow(replica, snapshot(1, { epoch: "e2", warming: true }));
  expect(replica.have()).toBe(null);
  follow(replica, { type: "warm" });
  expect(replica.have()).toMatchObject({ epoch: "e2", revision: 1 });
});

const hashOf = (...instances: Instance[]): string => {
  const table = new Catalog();
  table.apply({ ...emptyChange(), services, instances });
  return table.hash();
};

test("apply() takes a table with another hash, and says so", () => {
  const replica = new CatalogReplica();
  const whole = snapshot(1, { services, instances: [a], hash: hashOf(a) });
  expect(replica.apply(whole).state).toBe("updated");
  expect(replica.apply({ ...delta(1, { instances: [b] }), hash: hashOf(a, b) }).state).toBe("updated");
  expect(replica.apply(delta(2, { instances: [c] })).state).toBe("updated");
  const differs = replica.apply({
    ...delta(3, { gone: { services: [], instances: ["barker@a"], tables: [] } }),
    hash: hashOf(b),
  });
  expect(differs).toEqual({
    state: "diverged",
    update: { services: new Set(["barker"]), position: { epoch: "e1", revision: 4 }, atMs: 1_000, routes: false },
    reason: `the table of e1:4 has the hash ${hashOf(b)} there and ${hashOf(b, c)} here`,
    whole: false,
  });
  expect(names(replica)).toBe("b c");
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
  const replica = new CatalogReplica();
  follow(replica, snapshot(7, { services: [], instances: [low, high] }));
  const sectors = { of: 2, these: [0] };
  const kept = new Catalog();
  kept.apply({ ...emptyChange(), instances: [high] });
  const applied = replica.apply(snapshot(3, { epoch: "e2", sectors, hash: kept.hash() }));
  expect(applied).toMatchObject({ state: "updated", update: { position: { epoch: "e2", revision: 3 } } });
  expect(names(replica)).toBe(high.name);
});

test("apply() of some buckets that lead to another table says that there is a whole to be asked for", () => {
  const [low, high] = apart;
  const replica = new CatalogReplica();
  follow(replica, snapshot(7, { services: [], instances: [low, high] }));
  const sectors = { of: 2, these: [0] };
  expect(replica.apply(snapshot(3, { epoch: "e2", sectors, hash: hashOf(a) }))).toMatchObject({
    state: "diverged",
    whole: false,
  });
});

test("apply() compares nothing while it keeps what a warming directory lacks", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(9, { services, instances: [a, b] }));
  const warming = snapshot(1, { epoch: "e2", services, instances: [b], warming: true, hash: hashOf(b) });
  expect(replica.apply(warming).state).toBe("updated");
  const changed = { ...delta(1, { instances: [c] }, "e2"), hash: hashOf(b, c) };
  expect(replica.apply(changed).state).toBe("updated");
  follow(replica, { type: "warm" });
  expect(replica.apply({ ...delta(2, {}, "e2"), hash: hashOf(b, c) }).state).toBe("updated");
});

test("apply() goes on from a new position where nothing but that has changed", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(9, { services, instances: [a] }));
  const empty = { ...delta(3, {}, "e2"), revision: 3 };
  expect(replica.apply({ ...empty, hash: hashOf(b) }).state).toBe("gap");
  expect(replica.apply(empty).state).toBe("gap");
  expect(replica.apply({ ...empty, hash: hashOf(a) })).toMatchObject({
    state: "updated",
    update: { services: new Set(), position: { epoch: "e2", revision: 3 } },
  });
  follow(replica, delta(3, { instances: [b] }, "e2"));
  expect(names(replica)).toBe("a b");
});

test("apply() believes a second snapshot that ends the warm-up without a word", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(9, { services, instances: [a, b] }));
  follow(replica, snapshot(1, { epoch: "e2", warming: true }), snapshot(3, { epoch: "e2", services, instances: [b] }));
  expect(names(replica)).toBe("b");
});

test("apply() reaches the directory's table whatever the parts, restarts and warm-ups in between", () => {
  const pool = ["a", "b", "c", "d", "e"].map((name) => instance("barker", name));
  const step = fc.record({
    members: fc.subarray(pool),
    how: fc.constantFrom("delta", "snapshot", "restart", "break"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const replica = new CatalogReplica();
      const truth = new Catalog();
      let epoch = 0;
      let revision = 0;
      follow(replica, snapshot(0, { epoch: "0" }));
      for (const { members, how } of steps) {
        const change = truth.changeTo({ ...emptyChange(), services, instances: members } satisfies TableChange);
        truth.apply(change);
        if (how === "delta") {
          const message = { ...delta(revision, change, String(epoch)) };
          if (replica.apply(message).state === "gap") throw new Error("gap");
          revision += 1;
          continue;
        }
        if (how === "break") {
          replica.disconnected();
          revision += 1; // what happened meanwhile is in the snapshot below
        }
        if (how === "restart") {
          epoch += 1;
          revision = 0;
          follow(replica, snapshot(0, { epoch: String(epoch), warming: true, instances: members.slice(0, 1) }));
        }
        const whole = snapshot(revision, { epoch: String(epoch), services, last: false });
        follow(replica, whole, { ...whole, services: [], instances: members, part: 1, last: true });
      }
      const sorted = (table: Catalog): string[] => [...table.instances()].map(({ name }) => name).sort();
      expect(sorted(replica.table)).toEqual(sorted(truth));
    }),
  );
});

/** What a directory has and this version cannot read. */
const unread = { kind: "instance", key: "barker@b", reason: "Cannot read instance barker@b: why" } as const;

test("apply() keeps what it knows of an entity that cannot be read any more, until the directory says another thing", () => {
  const replica = new CatalogReplica();
  follow(replica, snapshot(7, { services, instances: [a, b] }));
  follow(replica, { ...delta(7, {}), leftOut: [unread] });
  expect(names(replica)).toBe("a b");
  expect(replica.leftOut).toEqual([unread]);
  follow(replica, { ...snapshot(9, { services, instances: [a, c] }), leftOut: [unread] });
  expect(names(replica)).toBe("a b c");
  follow(replica, delta(9, { gone: { services: [], instances: ["barker@b"], tables: [] } }));
  expect(names(replica)).toBe("a c");
  expect(replica.leftOut).toEqual([]);
});

test("apply() compares no table of which it could not read all", () => {
  const replica = new CatalogReplica();
  const hash = "0123456789abcdef";
  expect(replica.apply({ ...snapshot(7, { services, hash }), leftOut: [unread] }).state).toBe("updated");
  expect(replica.apply({ ...delta(7, { instances: [b] }), hash }).state).toBe("diverged");
});
