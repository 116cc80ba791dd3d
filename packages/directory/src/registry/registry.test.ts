import { emptyChange, instanceKey, isEmptyChange } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { at, createState, LEASE_MS, registration, shown, state, watson } from "../testing/worlds.ts";

test("register() takes a whole set, and takes away what is held beyond it", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1", "barker@b:1"]);
  state(world, "vm1", ["barker@b:1", "barker@c:1"], { ms: 1 });
  expect(shown(world, "barker")).toBe("b live, c live");
});

test("register() leaves the instances of other Watsons alone", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  state(world, "vm2", ["barker@b"]);
  state(world, "vm1", []);
  expect(shown(world, "barker")).toBe("b live");
});

test("register() refuses an instance that a connected Watson holds, naming it, and takes the others", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  const refused = state(world, "vm2", ["barker@a", "barker@b"]);
  expect(refused).toMatchObject([{ instance: "barker@a", code: "conflict" }]);
  expect(refused[0]?.message).toContain("the Watson on vm1");
  expect(shown(world, "barker")).toBe("a live, b live");
});

test("register() takes over an instance whose Watson is out of sight", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  world.registry.detach(watson("vm1").id, at(1));
  expect(state(world, "vm2", ["barker@a"], { ms: 2 })).toEqual([]);
  expect(world.registry.ownerOf("barker@a")?.name).toBe("vm2");
  world.registry.endLeases(at(LEASE_MS + 10));
  expect(shown(world, "barker")).toBe("a live");
});

test.each([
  ["http://localhost:80/x", false, "invalid_argument"],
  ["http://127.0.0.1/x", false, "invalid_argument"],
  ["http://169.254.1.1/x", false, "invalid_argument"],
  ["http://[fe80::1]/x", false, "invalid_argument"],
  ["http://localhost:80/x", true, null],
  ["http://10.0.0.1/x", false, null],
  ["ftp://10.0.0.1/x", true, "invalid_argument"],
])("register() of %s over a link that is local: %s gives %s", (url, local, code) => {
  const refused = state(createState(), "vm1", [registration("barker@a", { url })], { local });
  expect(refused[0]?.code ?? null).toBe(code);
});

test("register() refuses to mix tcp and http, and lets the only instance change", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  expect(state(world, "vm2", [registration("barker@b", { protocol: "tcp" })])).toMatchObject([{ code: "conflict" }]);
  expect(state(world, "vm1", [registration("barker@a", { protocol: "tcp" })])).toEqual([]);
  expect(world.table.service("barker")?.service.protocol).toBe("tcp");
});

test("register() names an instance that one message has twice", () => {
  expect(state(createState(), "vm1", ["barker@a:1", "barker@a:2"])).toMatchObject([{ instance: "barker@a" }]);
});

test("update() changes what it names and keeps the rest", () => {
  const world = createState();
  state(world, "vm1", ["barker@a", "barker@b", "barker@c"]);
  const update = { instances: [registration("barker@a", { state: "down", reason: "503" })], gone: ["barker@b"] };
  world.registry.update(watson("vm1").id, update, { moment: at(5), local: true });
  expect(shown(world, "barker")).toBe("a down, c live");
});

test("update() takes out an instance whose new description is refused", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  const bad = { instances: [registration("barker@a", { url: "http://u:p@h/" })], gone: [] };
  expect(world.registry.update(watson("vm1").id, bad, { moment: at(1), local: true })).toHaveLength(1);
  expect(shown(world, "barker")).toBe("");
});

test("update() of a key that another Watson holds changes nothing", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  state(world, "vm2", ["barker@b"]);
  const update = { instances: [], gone: ["barker@a"] };
  world.registry.update(watson("vm2").id, update, { moment: at(1), local: true });
  expect(shown(world, "barker")).toBe("a live, b live");
});

test("update() before the whole set is refused", () => {
  const world = createState();
  world.registry.attach(watson("vm1"), at(0));
  const update = { instances: [], gone: [] };
  const word = { moment: at(0), local: true };
  expect(() => world.registry.update(watson("vm1").id, update, word)).toThrow(/before the whole set/);
});

test("break() makes live instances lost, and brings nothing else to life", () => {
  const world = createState();
  state(world, "vm1", [
    "barker@a",
    registration("barker@b", { state: "down", reason: "503" }),
    registration("barker@c", { state: "draining" }),
  ]);
  world.registry.detach(watson("vm1").id, at(1));
  expect(shown(world, "barker")).toBe("a lost, b down, c draining");
});

test("break() forgets a Watson that holds nothing: it left cleanly", () => {
  const world = createState();
  state(world, "vm1", []);
  world.registry.detach(watson("vm1").id, at(1));
  expect(world.registry.holders()).toEqual([]);
});

test("connect() alone brings nothing back: the Watson has to state its set", () => {
  const world = createState();
  state(world, "vm1", ["barker@a", "barker@b"]);
  world.registry.detach(watson("vm1").id, at(1_000));
  world.registry.attach(watson("vm1"), at(2_000));
  expect(shown(world, "barker")).toBe("a lost, b lost");
  state(world, "vm1", ["barker@a"], { ms: 2_001 });
  expect(shown(world, "barker")).toBe("a live");
});

test("an instance that returns within the lease keeps since when it is live", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  world.registry.detach(watson("vm1").id, at(1_000));
  expect(world.table.instance("barker@a")?.since).toBe(at(1_000).wallMs);
  state(world, "vm1", ["barker@a"], { ms: 2_000 });
  expect(world.table.instance("barker@a")).toMatchObject({ state: "live", since: at(0).wallMs });
});

test("endLeases() takes instances away when the lease is over, not before", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  world.registry.detach(watson("vm1").id, at(1_000));
  world.registry.endLeases(at(LEASE_MS + 999));
  expect(shown(world, "barker")).toBe("a lost");
  expect(world.registry.endLeases(at(LEASE_MS + 1_000))).toHaveLength(1);
  expect(world.table.service("barker")).toBeNull();
  expect(world.registry.holders()).toEqual([]);
});

test("an instance that left and comes back keeps its place in the order", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  state(world, "vm2", ["barker@b"]);
  state(world, "vm1", []);
  state(world, "vm1", ["barker@a"]);
  expect(shown(world, "barker")).toBe("a live, b live");
});

test("setDrained() holds whatever the Watson says, also when it starts again", () => {
  const world = createState();
  state(world, "vm1", ["barker@a"]);
  world.registry.setDrained("barker@a", at(1).wallMs, at(1));
  expect(world.table.instance("barker@a")).toMatchObject({ state: "draining", reason: "drained by an operator" });
  state(world, "vm1", []);
  state(world, "vm1", ["barker@a"], { ms: 10 });
  expect(shown(world, "barker")).toBe("a draining");
  expect(world.registry.drainedOf(watson("vm1").id)).toEqual(["barker@a"]);
  world.registry.setDrained("barker@a", null, at(11));
  expect(shown(world, "barker")).toBe("a live");
});

test("restore() brings back what was saved, as lost, in its old order", () => {
  const before = createState();
  state(before, "vm1", ["barker@b", registration("barker@c", { state: "down", reason: "503" })]);
  state(before, "vm2", ["barker@a"]);
  const { stored } = before.registry.dirty.take();
  const after = createState();
  after.registry.restore(stored.toReversed(), { moment: at(0), presumed: false });
  expect(shown(after, "barker")).toBe("b lost, c down, a lost");
  expect(after.registry.dirty.take()).toEqual({ stored: [], gone: [] });
  state(after, "vm1", ["barker@b"], { ms: 100 });
  after.registry.endLeases(at(LEASE_MS));
  expect(shown(after, "barker")).toBe("b live");
});

test("restore() shows what is presumed to come back as it was, and as lost once that is doubted", () => {
  const before = createState();
  state(before, "vm1", ["barker@a"]);
  state(before, "vm2", ["barker@b"]);
  const after = createState();
  after.registry.restore(before.registry.dirty.take().stored, { moment: at(5), presumed: true });
  expect(shown(after, "barker")).toBe("a live, b live");
  expect(after.table.hash()).toBe(before.table.hash());
  expect(after.registry.holder(watson("vm1").id)).toMatchObject({ state: "lost" });
  after.writer.take();
  state(after, "vm1", ["barker@a"], { ms: 10 });
  expect(after.writer.take()).toBe(null);
  after.registry.doubt(at(20));
  expect(shown(after, "barker")).toBe("a live, b lost");
  after.registry.endLeases(at(LEASE_MS + 5));
  expect(shown(after, "barker")).toBe("a live");
});

test("takeUnsaved() gives what changed, and nothing when a Watson merely went out of sight", () => {
  const world = createState();
  state(world, "vm1", ["barker@a", "barker@b"]);
  expect(world.registry.dirty.take().stored).toHaveLength(2);
  world.registry.detach(watson("vm1").id, at(1));
  expect(world.registry.dirty.take()).toEqual({ stored: [], gone: [] });
  state(world, "vm1", ["barker@a"], { ms: 2 });
  expect(world.registry.dirty.take()).toEqual({ stored: [], gone: ["barker@b"] });
});

/** What three Watsons may do to four instances of two services. */
const name = fc.constantFrom("x@a", "x@b", "y@a", "y@b");
const said = fc.record({
  name,
  version: fc.constantFrom("1", "2.1", null),
  state: fc.constantFrom("live" as const, "down" as const),
});
const step = fc.oneof(
  fc.record({ kind: fc.constant("state" as const), vm: fc.nat(2), set: fc.array(said, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("update" as const), vm: fc.nat(2), set: fc.array(said, { maxLength: 2 }), gone: name }),
  fc.record({ kind: fc.constant("break" as const), vm: fc.nat(2) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 5_000, LEASE_MS) }),
  fc.record({ kind: fc.constant("drain" as const), name, drained: fc.boolean() }),
);

test("whatever Watsons do, each instance has one holder, states follow sight, and followers see the same table", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = createState({ share: 1, minimum: 1 });
      const follower = new Catalog();
      const sight = new Map<string, boolean>();
      const drained = new Set<string>();
      let ms = 0;
      const registrations = (set: readonly { name: string; version: string | null; state: "live" | "down" }[]) =>
        set.map((one) => ({ ...registration(one.name), version: one.version, state: one.state }));
      for (const one of steps) {
        ms += 1;
        if (one.kind === "state") {
          state(world, `vm${one.vm}`, registrations(one.set), { ms });
          sight.set(`vm${one.vm}`, true);
        } else if (one.kind === "update" && sight.get(`vm${one.vm}`) === true) {
          const update = { instances: registrations(one.set), gone: [one.gone] };
          world.registry.update(watson(`vm${one.vm}`).id, update, { moment: at(ms), local: true });
        } else if (one.kind === "break" && sight.get(`vm${one.vm}`) === true) {
          world.registry.detach(watson(`vm${one.vm}`).id, at(ms));
          sight.set(`vm${one.vm}`, false);
        } else if (one.kind === "wait") {
          ms += one.ms;
          const inSight = world.registry.holders().filter((holder) => holder.state === "connected");
          world.registry.endLeases(at(ms));
          expect(world.registry.holders()).toEqual(expect.arrayContaining(inSight));
        } else if (one.kind === "drain") {
          world.registry.setDrained(one.name, one.drained ? at(ms).wallMs : null, at(ms));
          if (one.drained) drained.add(one.name);
          else drained.delete(one.name);
        }
        for (const change of world.writer.take()?.changes ?? []) follower.apply(change);

        expect(isEmptyChange(follower.changeTo(world.table.snapshot()))).toBe(true);
        const held = world.registry.holders().reduce((sum, { instances }) => sum + instances, 0);
        expect(held).toBe(world.table.size.instances);
        for (const instance of world.table.instances()) {
          const key = instanceKey(instance);
          const owner = world.registry.ownerOf(key);
          expect(owner).not.toBeNull();
          if (instance.state === "lost") expect(sight.get(owner!.name)).toBe(false);
          if (instance.state === "live") expect(sight.get(owner!.name)).toBe(true);
          if (drained.has(key)) expect(["down", "draining"]).toContain(instance.state);
          expect(world.table.service(instance.service)).not.toBeNull();
        }
        for (const service of world.table.serviceNames())
          expect(world.services.instancesOf(service)).toBe(world.table.service(service)!.instances.length);
      }
      // All leave cleanly: nothing may be left behind.
      for (const vm of [0, 1, 2]) state(world, `vm${vm}`, [], { ms });
      expect(world.table.snapshot()).toEqual(emptyChange());
    }),
    { numRuns: 150 },
  );
});

test("restore() and a loss of sight give one that has a lease of its own just that, also at another directory", () => {
  const identity = { id: "mdk-1", name: "h-1", version: "2.0.37", kind: "mdk", leaseMs: 40_000 } as const;
  const before = createState();
  before.registry.attach(identity, at(0));
  before.registry.register("mdk-1", [registration("hello@h-1")], { moment: at(0), local: true });
  before.registry.detach("mdk-1", at(30_000));
  expect(shown(before, "hello")).toBe("h-1 lost");
  before.registry.endLeases(at(39_999));
  expect(shown(before, "hello")).toBe("h-1 lost");
  before.registry.endLeases(at(40_000));
  expect(shown(before, "hello")).toBe("");
  const after = createState();
  const stored = { watson: identity, registration: registration("hello@h-1"), order: 0, sinceMs: at(0).wallMs };
  after.registry.restore([stored], { moment: at(50_000), presumed: true });
  after.registry.endLeases(at(89_999));
  expect(shown(after, "hello")).toBe("h-1 live");
  after.registry.endLeases(at(90_000));
  expect(shown(after, "hello")).toBe("");
  const peer = createState();
  const updates = peer.registry.peerUpdates("b");
  const replicas = [{ id: "a", present: true }];
  const sighting = { ...identity, replica: "a", sinceMs: at(0).wallMs };
  updates.take(
    { replicas, sightings: [{ id: "mdk-1", value: sighting }], registrations: [{ key: "hello@h-1", value: stored }] },
    at(0),
  );
  updates.take({ replicas: [{ id: "a", present: false }], sightings: [], registrations: [] }, at(100_000));
  expect(shown(peer, "hello")).toBe("h-1 lost");
  peer.registry.endLeases(at(139_999));
  expect(shown(peer, "hello")).toBe("h-1 lost");
  peer.registry.endLeases(at(140_000));
  expect(shown(peer, "hello")).toBe("");
});
