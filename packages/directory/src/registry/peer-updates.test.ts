import type { Unconfirmed } from "./dirty-set.ts";
import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { at, createState, LEASE_MS, registration, shown, state, watson } from "../testing/worlds.ts";
import type { PeerUpdates, SharedNews } from "./peer-updates.ts";
import type { Sighting, StoredRegistration } from "../model/records.ts";
import type { State } from "./state.ts";

const nothing: SharedNews = { replicas: [], sightings: [], registrations: [] };

/** A directory that hears of another one, `b`. */
function open(): { world: State; others: PeerUpdates } {
  const world = createState();
  const others = world.registry.peerUpdates("a");
  others.take({ ...nothing, replicas: [{ id: "b", present: true }] }, at(0));
  return { world, others };
}

const seen = (name: string, replica: string | null, sinceMs = 0) => {
  const value: Sighting = { ...watson(name), replica, sinceMs };
  return { id: value.id, value };
};
const held = (name: string, text: string, order = 0) => {
  const one = registration(text);
  const value: StoredRegistration = { watson: watson(name), registration: one, order, sinceMs: 5 };
  return { key: `${one.service}@${one.name}`, value };
};

test("take() shows what another directory has registered, live for as long as that directory is there", () => {
  const { world, others } = open();
  others.take({ ...nothing, sightings: [seen("vm1", "b")], registrations: [held("vm1", "barker@x")] }, at(1));
  expect(shown(world, "barker")).toBe("x live");
  expect(world.registry.holders()).toMatchObject([{ name: "vm1", state: "connected", replica: "b", instances: 1 }]);
  others.take({ ...nothing, replicas: [{ id: "b", present: false }] }, at(2));
  expect(shown(world, "barker")).toBe("x lost");
  others.take({ ...nothing, replicas: [{ id: "b", present: true }] }, at(3));
  expect(shown(world, "barker")).toBe("x live");
  expect(world.registry.endLeases(at(LEASE_MS * 2))).toHaveLength(0);
});

test("take() of a Watson that is lost elsewhere shows since when, known before or not", () => {
  const { world, others } = open();
  const since = (name: string) => world.table.instance(`barker@${name}`)?.since;
  const lost = { sightings: [seen("vm1", null, 70)], registrations: [held("vm1", "barker@x")] };
  others.take({ ...nothing, ...lost }, at(100));
  expect(since("x")).toBe(70);
  others.take({ ...nothing, sightings: [seen("vm1", null, 80)] }, at(200));
  expect(since("x")).toBe(80);
});

test("take() of a Watson whose directory had ended before shows it as lost since that is known, once", () => {
  const { world, others } = open();
  const since = () => world.table.instance("barker@x")?.since;
  const news = { sightings: [seen("vm1", "gone", 70)], registrations: [held("vm1", "barker@x")] };
  others.take({ ...nothing, ...news }, at(100));
  expect(since()).toBe(at(100).wallMs);
  others.take({ ...nothing, replicas: [{ id: "gone", present: false }] }, at(200));
  expect(since()).toBe(at(100).wallMs);
});

test("take() of Watsons whose directory had ended leaves as live what is presumed so, until doubt(), and no others", () => {
  const { world, others } = open();
  const stored = ["vm1", "vm2"].map((name) => held(name, `barker@${name}`).value);
  world.registry.restore(stored, { moment: at(0), presumed: true });
  others.take({ ...nothing, sightings: [seen("vm1", "gone"), seen("vm2", null, 70)] }, at(1));
  expect(shown(world, "barker")).toBe("vm1 live, vm2 lost");
  world.registry.doubt(at(5_000));
  expect(shown(world, "barker")).toBe("vm1 lost, vm2 lost");
  expect(world.registry.endLeases(at(LEASE_MS))).toHaveLength(2);
});

test("take() of a Watson that is connected here and was seen elsewhere since hands it over, and names it", () => {
  const { world, others } = open();
  state(world, "vm1", ["barker@x"]);
  expect([...others.take({ ...nothing, sightings: [seen("vm1", "b")] }, at(1))]).toEqual([watson("vm1").id]);
  world.registry.detach(watson("vm1").id, at(2));
  expect(shown(world, "barker")).toBe("x live");
});

test("take() of an instance that a connected Watson elsewhere holds takes it from the one here, and names that one", () => {
  const { world, others } = open();
  state(world, "vm1", ["barker@x", "barker@y"]);
  const news = { ...nothing, sightings: [seen("vm2", "b")], registrations: [held("vm2", "barker@x")] };
  expect([...others.take(news, at(1))]).toEqual([watson("vm1").id]);
  expect(world.registry.ownerOf("barker@x")?.name).toBe("vm2");
  expect(shown(world, "barker")).toBe("x live, y live");
});

test("take() leaves alone what a Watson here took over from one that is out of sight", () => {
  const { world, others } = open();
  others.take({ ...nothing, sightings: [seen("vm2", null)], registrations: [held("vm2", "barker@x")] }, at(1));
  state(world, "vm1", ["barker@x"]);
  expect([...others.take({ ...nothing, registrations: [held("vm2", "barker@x")] }, at(2))]).toEqual([]);
  expect(world.registry.ownerOf("barker@x")?.name).toBe("vm1");
});

test("take() of the end of what a Watson here holds has it written again", () => {
  const { world, others } = open();
  state(world, "vm1", ["barker@x"]);
  world.registry.dirty.takeByWatson("a");
  const gone = { ...nothing, sightings: [{ id: watson("vm1").id, value: null }] };
  others.take({ ...gone, registrations: [{ key: "barker@x", value: null }] }, at(1));
  expect(shown(world, "barker")).toBe("x live");
  const [change] = world.registry.dirty.takeByWatson("a");
  expect(change).toMatchObject({ sighting: { replica: "a" }, stored: [{ registration: { name: "x" } }], gone: [] });
});

test("endLeases() of a Watson whose directory is gone is to hold only while that one stays away", () => {
  const { world, others } = open();
  others.take({ ...nothing, sightings: [seen("vm1", "b")], registrations: [held("vm1", "barker@x")] }, at(0));
  others.take({ ...nothing, replicas: [{ id: "b", present: false }] }, at(1));
  expect(world.registry.endLeases(at(1 + LEASE_MS))).toHaveLength(1);
  expect(world.registry.dirty.takeByWatson("a")).toMatchObject([{ sighting: null, gone: ["barker@x"], away: "b" }]);
});

test("restartLeases() gives all that are out of sight another lease", () => {
  const { world, others } = open();
  state(world, "vm1", ["barker@x"]);
  world.registry.detach(watson("vm1").id, at(0));
  others.restartLeases(at(LEASE_MS));
  expect(world.registry.endLeases(at(LEASE_MS + 1))).toHaveLength(0);
  expect(world.registry.endLeases(at(2 * LEASE_MS))).toHaveLength(1);
});

/** A store in memory that two directories share, and that refuses as etcd does. */
class Shared {
  readonly #sightings = new Map<string, { value: Sighting; revision: number }>();
  readonly #registrations = new Map<string, { value: StoredRegistration; revision: number }>();
  #revision = 0;

  /** What one directory has not heard yet. */
  since(revision: number, known: { sightings: Set<string>; registrations: Set<string> }): [SharedNews, number] {
    const fresh = <T>(all: Map<string, { value: T; revision: number }>, had: Set<string>) => {
      const changed = [...all].filter(([, one]) => one.revision > revision).map(([key, { value }]) => ({ key, value }));
      const gone = [...had].filter((key) => !all.has(key)).map((key) => ({ key, value: null }));
      had.clear();
      for (const key of all.keys()) had.add(key);
      return [...changed, ...gone];
    };
    const sightings = fresh(this.#sightings, known.sightings).map(({ key, value }) => ({ id: key, value }));
    const registrations = fresh(this.#registrations, known.registrations);
    return [{ replicas: [], sightings, registrations }, this.#revision];
  }

  read({ instances, watsons }: Unconfirmed): SharedNews {
    const registrations = instances.map((key) => ({ key, value: this.#registrations.get(key)?.value ?? null }));
    const sightings = watsons.map((id) => ({ id, value: this.#sightings.get(id)?.value ?? null }));
    return { ...nothing, sightings, registrations };
  }

  /** Writes what a directory that has heard everything up to `revision` says; returns what it refuses. */
  save(changes: ReturnType<State["registry"]["dirty"]["takeByWatson"]>, revision: number) {
    return changes.filter(({ watson: id, sighting, stored, gone }) => {
      const keys = [...stored.map((one) => `${one.registration.service}@${one.registration.name}`), ...gone];
      const newer = [this.#sightings.get(id), ...keys.map((key) => this.#registrations.get(key))];
      if (newer.some((one) => one !== undefined && one.revision > revision)) return true;
      this.#revision += 1;
      if (sighting === null) this.#sightings.delete(id);
      else if (sighting !== undefined) this.#sightings.set(id, { value: sighting, revision: this.#revision });
      for (const key of gone) this.#registrations.delete(key);
      for (const [i, value] of stored.entries())
        this.#registrations.set(keys[i] as string, { value, revision: this.#revision });
      return false;
    });
  }
}

test("two directories that hear each other late and in any order end with the same table", () => {
  const directory = fc.constantFrom(0, 1);
  const vm = fc.constantFrom("vm1", "vm2", "vm3");
  const step = fc.oneof(
    fc.record({ do: fc.constant("state" as const), directory, vm, set: fc.subarray(["s@x", "s@y", "t@z"]) }),
    fc.record({ do: fc.constant("break" as const), directory, vm }),
    fc.record({ do: fc.constant("save" as const), directory }),
    fc.record({ do: fc.constant("hear" as const), directory }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const shared = new Shared();
      const make = (id: string, other: string) => {
        const world = createState();
        const others = world.registry.peerUpdates(id);
        others.take({ ...nothing, replicas: [{ id: other, present: true }] }, at(0));
        const known = { sightings: new Set<string>(), registrations: new Set<string>() };
        return { id, world, others, known, revision: 0, links: new Set<string>() };
      };
      const directories = [make("a", "b"), make("b", "a")];
      let ms = 0;
      const hear = (one: (typeof directories)[number]): void => {
        const [news, revision] = shared.since(one.revision, one.known);
        one.revision = revision;
        for (const id of one.others.take(news, at(ms))) {
          // Its link is cut, and this time it does not come back.
          one.links.delete(id);
          one.world.registry.detach(id, at(ms));
        }
      };
      const save = (one: (typeof directories)[number]): void => {
        const { dirty } = one.world.registry;
        const changes = dirty.takeByWatson(one.id);
        for (const { watson: id, stored } of changes) {
          one.known.sightings.add(id);
          for (const {
            registration: { service, name },
          } of stored)
            one.known.registrations.add(`${service}@${name}`);
        }
        dirty.restoreByWatson(shared.save(changes, one.revision));
        one.others.take(shared.read(dirty.takeUnconfirmed()), at(ms));
      };
      for (const one of steps) {
        ms += 1;
        const here = directories[one.directory] as (typeof directories)[number];
        if (one.do === "save") save(here);
        else if (one.do === "hear") hear(here);
        else if (one.do === "state") {
          // A Watson has one connection at a time; the other directory notices at once that it has lost it.
          const there = directories[1 - one.directory] as (typeof directories)[number];
          if (there.links.delete(watson(one.vm).id)) there.world.registry.detach(watson(one.vm).id, at(ms));
          here.links.add(watson(one.vm).id);
          state(here.world, one.vm, one.set, { ms });
        } else if (here.links.delete(watson(one.vm).id)) here.world.registry.detach(watson(one.vm).id, at(ms));
      }
      for (let round = 0; round < 10; round++) {
        for (const one of directories) {
          hear(one);
          save(one);
        }
      }
      const tables = directories.map(({ world }) =>
        ["s", "t"].map((service) => shown(world, service).split(", ").toSorted().join(", ")).join("; "),
      );
      expect(tables[0]).toBe(tables[1]);
      expect(directories.map(({ world }) => world.registry.dirty.takeByWatson("a"))).toEqual([[], []]);
    }),
    { numRuns: 500 },
  );
});
