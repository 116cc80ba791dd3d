import fc from "@datawire/protocol/testing/random";
import { endpointsOf, type Registration } from "@datawire/protocol";
import { describe, expect, test } from "vitest";
import { at, createState, LEASE_MS, registration, shown, state, watson } from "../testing/worlds.ts";
import type { State } from "./state.ts";

/** Fresh evidence beats an old word: what a connected Watson says of an address goes before what a lost one said. */
const HERE = "http://10.0.0.1:8090";

/** `a` of service `a` lives at 10.0.0.1:8090, and its Watson is lost a second later. */
function lostWorld(): State {
  const world = createState();
  state(world, "vm1", [registration("a@a1:1", { url: HERE })]);
  world.registry.detach(watson("vm1").id, at(1_000));
  expect(shown(world, "a")).toBe("a1 lost");
  return world;
}

function reasonOf(world: State, service: string): string | null {
  return world.table.service(service)?.instances[0]?.reason ?? null;
}

describe("a lost instance", () => {
  test.each<[string, Registration, string]>([
    ["another service there", registration("b@b1", { url: HERE }), "a1 down"],
    ["another service there, which is down", registration("b@b1", { url: HERE, state: "down" }), "a1 down"],
    ["another service there, which is draining", registration("b@b1", { url: HERE, state: "draining" }), "a1 down"],
    ["another service there with a base path", registration("b@b1", { url: `${HERE}/base` }), "a1 down"],
    ["bytes there", registration("b@b1", { protocol: "tcp", url: "tcp://10.0.0.1:8090" }), "a1 down"],
    ["the address in another spelling", registration("b@b1", { url: "http://[::ffff:10.0.0.1]:8090" }), "a1 down"],
    ["another version of it under another name", registration("a@a2:2", { url: HERE }), "a1 down, a2 live"],
    ["another service beside it", registration("b@b1", { url: "http://10.0.0.1:8090/b" }), "a1 down"],
    ["another port", registration("b@b1", { url: "http://10.0.0.1:8091" }), "a1 lost"],
    ["another host", registration("b@b1", { url: "http://10.0.0.2:8090" }), "a1 lost"],
    ["itself", registration("a@a1:1", { url: HERE }), "a1 live"],
  ])("with a connected Watson that announces %s", (_, said, expected) => {
    const world = lostWorld();
    state(world, "vm2", [said], { ms: 2_000 });
    expect(shown(world, "a")).toBe(expected);
    if (!expected.startsWith("a1 down")) return;
    expect(world.table.service("a")?.instances[0]?.since).toBe(at(2_000).wallMs);
    const key = `${said.service}@${said.name}`;
    expect(reasonOf(world, "a")).toBe(
      `its Watson is out of sight, and the one on vm2 announces //${key} at that address`,
    );
  });

  test("is down from the moment that it is lost where the other was announced before", () => {
    const world = createState();
    state(world, "vm1", [registration("a@a1", { url: HERE })]);
    state(world, "vm2", [registration("b@b1", { url: HERE })], { ms: 500 });
    expect([shown(world, "a"), shown(world, "b")]).toEqual(["a1 live", "b1 live"]);
    world.registry.detach(watson("vm1").id, at(1_000));
    expect(shown(world, "a")).toBe("a1 down");
  });

  test("is live again when its Watson comes back and says so", () => {
    const world = lostWorld();
    state(world, "vm2", [registration("b@b1", { url: HERE })], { ms: 2_000 });
    state(world, "vm1", [registration("a@a1:1", { url: HERE })], { ms: 3_000 });
    expect(shown(world, "a")).toBe("a1 live");
    expect(world.registry.contested()).toMatchObject([
      {
        endpoint: "10.0.0.1:8090",
        claims: [
          { key: "a@a1", watson: "vm1" },
          { key: "b@b1", watson: "vm2" },
        ],
      },
    ]);
  });

  test("stays down when the other Watson is lost too, as that spoke last", () => {
    const world = lostWorld();
    state(world, "vm2", [registration("b@b1", { url: HERE })], { ms: 2_000 });
    world.registry.detach(watson("vm2").id, at(3_000));
    expect([shown(world, "a"), shown(world, "b")]).toEqual(["a1 down", "b1 lost"]);
  });

  test("is in use again when the other moves away, or is taken back", () => {
    const world = lostWorld();
    state(world, "vm2", [registration("b@b1", { url: HERE })], { ms: 2_000 });
    state(world, "vm2", [registration("b@b1", { url: "http://10.0.0.1:1" })], { ms: 3_000 });
    expect(shown(world, "a")).toBe("a1 lost");
    state(world, "vm2", [registration("b@b1", { url: HERE })], { ms: 4_000 });
    state(world, "vm2", [], { ms: 5_000 });
    expect(shown(world, "a")).toBe("a1 lost");
  });

  test("of before a restart is no better: a Watson that is back says what is there", () => {
    const before = createState();
    state(before, "vm1", [registration("a@a1", { url: HERE })]);
    const world = createState();
    world.registry.restore(before.registry.dirty.take().stored, { moment: at(10_000), presumed: true });
    expect(shown(world, "a")).toBe("a1 live");
    state(world, "vm2", [registration("b@b1", { url: HERE })], { ms: 11_000 });
    expect(shown(world, "a")).toBe("a1 down");
  });
});

test("a lost instance stays in use where another service has another base path: one program may serve both", () => {
  const world = createState();
  state(world, "vm1", [registration("a@a1", { url: `${HERE}/a` })]);
  state(world, "vm2", [registration("b@b1", { url: `${HERE}/b` })]);
  world.registry.detach(watson("vm1").id, at(1_000));
  expect(shown(world, "a")).toBe("a1 lost");
});

test.each<[readonly Registration[], readonly Registration[], string[]]>([
  [[registration("a@a1", { url: HERE })], [registration("b@b1", { url: HERE })], ["a@a1", "b@b1"]],
  [[registration("a@a1", { url: HERE })], [registration("a@a2", { url: HERE })], []],
  [[registration("a@a1", { url: HERE }), registration("b@b1", { url: HERE })], [], []],
  [[registration("a@a1", { url: `${HERE}/a` })], [registration("b@b1", { url: `${HERE}/b` })], []],
])("contested() of %j and %j is %j", (one, other, expected) => {
  const world = createState();
  state(world, "vm1", one);
  state(world, "vm2", other);
  expect(world.registry.contested().flatMap(({ claims }) => claims.map(({ key }) => key))).toEqual(expected);
});

test("no lost instance is in use at an address that a connected Watson announces for another, whatever happened", () => {
  const step = fc.record({
    vm: fc.constantFrom("vm1", "vm2", "vm3"),
    act: fc.constantFrom("state", "state", "state", "break"),
    set: fc.uniqueArray(
      fc.record({
        key: fc.constantFrom("a@1", "a@2", "b@1", "c@1"),
        port: fc.constantFrom(1, 2),
        said: fc.constantFrom("live", "down"),
      }),
      { selector: ({ key }) => key, maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const world = createState();
      for (const [i, { vm, act, set }] of steps.entries()) {
        const ms = (i + 1) * 100;
        if (act === "break") world.registry.detach(watson(vm).id, at(ms));
        else {
          const said = set.map(({ key, port, said: seen }) =>
            registration(key, { url: `http://10.0.0.1:${port}`, state: seen as "live" }),
          );
          state(world, vm, said, { ms });
        }
        const all = [...world.table.instances()].map((one) => {
          const owner = world.registry.ownerOf(`${one.service}@${one.name}`);
          return { one, owner, seen: world.registry.holder(owner?.id ?? "")?.state };
        });
        for (const { one, owner, seen } of all) {
          if (seen !== "lost" || one.state === "down") continue;
          const [endpoint] = endpointsOf(one);
          const rivals = all.filter((other) => other.seen === "connected" && endpointsOf(other.one)[0] === endpoint);
          expect(rivals.filter((rival) => rival.owner?.id !== owner?.id)).toEqual([]);
        }
      }
    }),
  );
});

test("an address with more instances than tell of each other is no evidence, whichever comes, goes or is lost last", () => {
  const shared = (i: number): Registration => registration(`s${i}@x`, { url: HERE });
  const many = (count: number): Registration[] => Array.from({ length: count }, (_, i) => shared(i));
  const world = lostWorld();
  state(world, "vm2", many(31), { ms: 2_000 });
  expect(shown(world, "a")).toBe("a1 down");
  state(world, "vm2", many(32), { ms: 3_000 });
  expect(shown(world, "a")).toBe("a1 lost");
  state(world, "vm2", many(31), { ms: 4_000 });
  expect(shown(world, "a")).toBe("a1 down");
  world.registry.endLeases(at(LEASE_MS + 5_000));
  state(
    world,
    "vm3",
    many(1_000).map((one) => ({ ...one, name: "y" })),
    { ms: 6_000 },
  );
  world.registry.detach(watson("vm3").id, at(7_000));
  expect(shown(world, "s0")).toBe("x live, y lost");
});

test("two thousand instances at one address cost no more than as many elsewhere", () => {
  // The least of some, as the garbage of other tests may be collected meanwhile.
  const cpuMs = (url: (i: number) => string): number => Math.min(...[1, 2, 3].map(() => onceMs(url)));
  const onceMs = (url: (i: number) => string): number => {
    const world = createState();
    lostBeside(world);
    const set = Array.from({ length: 2_000 }, (_, i) => registration(`s${i}@x`, { url: url(i) }));
    const start = process.cpuUsage();
    state(world, "vm2", set);
    world.registry.detach(watson("vm2").id, at(1_000));
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
  };
  // The lost one makes everybody look who is beside.
  const lostBeside = (world: State): void => {
    state(world, "vm1", [registration("a@a1", { url: "http://10.0.0.9:1" })]);
    world.registry.detach(watson("vm1").id, at(10));
  };
  onceMs((i) => `http://10.0.0.1:${i + 1}`);
  const apart = cpuMs((i) => `http://10.0.0.1:${i + 1}`);
  expect(cpuMs(() => HERE)).toBeLessThan(apart * 10);
  expect(cpuMs((i) => `${HERE}/${i}`)).toBeLessThan(apart * 10);
});
