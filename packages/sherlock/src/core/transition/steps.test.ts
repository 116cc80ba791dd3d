import fc from "@datawire/protocol/testing/random";
import { describe, expect, test } from "vitest";
import { type Instance, INSTANCE_STATES } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { change, instance, routes, service, catalogOf } from "../../testing/entities.ts";
import {
  contentsOf,
  INPUTS,
  justStarted,
  planOf as planIn,
  plannerOf,
  roundText,
  SHARED,
} from "../../testing/plans.ts";
import { SimulatedProxy } from "../../testing/simulated/simulated-proxy.ts";
import { note } from "../model/commands.ts";
import { differingMaps, mapFiles } from "../model/files.ts";
import type { Running } from "../model/running.ts";
import { OWN_BACKENDS, type Plan } from "../model/plan.ts";
import { nextRound, type Round } from "./transition.ts";

const OPTIONS = { shared: SHARED, dynamicServers: true, unusedBackendsMax: 100, isSettled: false };
const NEAR = { zone: "near" };

const planOf = (table: Catalog): Plan => planIn(table, NEAR);

/** What there is to do for a plan, by an HAProxy that follows another. */
function roundOf(running: Running, followed: Plan, table: Catalog): Round {
  const interim: Parameters<typeof nextRound>[2]["interim"] = (held) =>
    plannerOf(NEAR).interim(table, INPUTS, { held, keepsLast: true });
  return nextRound(running, planOf(table), { ...OPTIONS, followed, interim });
}

function apply(running: Running, todo: Round): void {
  for (const command of todo.commands) note(running, command);
}

const generated = fc.record({
  instances: fc.uniqueArray(
    fc.record({
      service: fc.constantFrom("a", "b", "c"),
      name: fc.constantFrom("i1", "i2", "i3", "i4"),
      version: fc.constantFrom(null, "1", "1.4", "2", "2.1+x"),
      state: fc.constantFrom(...INSTANCE_STATES),
      weight: fc.integer({ min: 1, max: 256 }),
      zone: fc.constantFrom(null, "near", "far"),
      url: fc.constantFrom(
        "http://h1:8001",
        "http://h2:8002/base",
        "http://[::1]:8003",
        "https://h4/a%25b",
        "http://h5",
      ),
    }),
    { selector: (made) => `${made.service}@${made.name}`, maxLength: 12 },
  ),
  primary: fc.constantFrom(null, "", "1", "2"),
  failover: fc.constantFrom("any" as const, "none" as const),
  balance: fc.constantFrom(null, "ordered", "consistent:path", "cookie:SID"),
  share: fc.integer({ min: 0, max: 10_000 }),
  target: fc.constantFrom("//a(2)", "//a(2.1)", "//a@i1", "//b", "//b(1)"),
  when: fc.constantFrom(null, "path:/x", "header:k=v"),
  sticky: fc.constantFrom(null, "header:u"),
  routed: fc.boolean(),
});

const tables = generated.map((made): Catalog => {
  const settings = { failover: made.failover, balance: made.balance, defaultUrl: null };
  return catalogOf(
    ...["a", "b", "c"].map((name) => service(name, { primary: made.primary, settings })),
    ...made.instances.map((fields, order) =>
      instance(fields.service, fields.name, { ...fields, order } satisfies Partial<Instance>),
    ),
    ...(made.routed
      ? [routes("a", { [made.target]: { share: made.share, when: made.when } }, { sticky: made.sticky })]
      : []),
  );
});

describe("steps()", () => {
  test("asks for nothing when nothing changed", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const plan = planOf(table);
        expect(roundOf(justStarted(plan), plan, table)).toMatchObject({ commands: [], reload: null });
      }),
      { numRuns: 100 },
    );
  });

  test("brings a running proxy to the plan, by commands alone or with one reload", () => {
    fc.assert(
      fc.property(tables, tables, (before, after) => {
        const first = planOf(before);
        const running = justStarted(first);
        const todo = roundOf(running, first, after);
        apply(running, todo);
        // Applied once, nothing is left to be done by commands, whether or not a reload is.
        expect(roundOf(running, todo.now, after).commands).toEqual([]);
        if (todo.reload !== null) return;
        const plan = planOf(after);
        for (const [map, entries] of Object.entries(plan.maps)) {
          if (["routed", "special", "split"].includes(map)) continue;
          expect(running.maps[map as keyof Plan["maps"]]).toEqual(new Map(entries));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("looks at what differs from a plan that HAProxy is all of, and finds what a look at everything does", () => {
    fc.assert(
      fc.property(tables, tables, (table, after) => {
        const planner = plannerOf(NEAR);
        const followed = planner.plan(table, INPUTS);
        const running = justStarted(followed);
        planner.forget(table.apply(table.changeTo(after.snapshot())));
        const wanted = planner.plan(table, INPUTS);
        const interim: Parameters<typeof nextRound>[2]["interim"] = (held) =>
          planner.interim(table, INPUTS, { held, keepsLast: true });
        const round = (isSettled: boolean) =>
          roundText(nextRound(running, wanted, { ...OPTIONS, followed, interim, isSettled }));
        expect(round(true)).toEqual(round(false));
      }),
      { numRuns: 200 },
    );
  });

  test("never leads to a backend that is not there", () => {
    fc.assert(
      fc.property(tables, tables, (before, after) => {
        const plan = planOf(before);
        const running = justStarted(plan);
        apply(running, roundOf(running, plan, after));
        const nodes = new Set([...OWN_BACKENDS, ...running.loaded.backends.keys(), ...running.maps.split.keys()]);
        for (const backend of running.maps.plain.values()) expect(nodes).toContain(backend);
        for (const { lines } of running.blocks.values()) {
          for (const { map, value } of lines.values()) {
            if (["draw", "when_node", "when_path"].includes(map)) expect(nodes).toContain(value);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["a weight", { weight: 7 }, ["set-server"]],
    ["a state", { state: "down" as const }, ["set-server"]],
    ["an instance with another base path", { name: "j", url: "http://h1:1/other" }, []],
  ])("answers %s with the least that does", (_what, fields, kinds) => {
    const table = catalogOf(service("a"), instance("a", "i"), instance("a", "k", { order: 1 }));
    const before = planOf(table);
    const running = justStarted(before);
    table.apply(change(instance("a", "i", fields)));
    const todo = roundOf(running, before, table);
    expect(todo.commands.filter(({ kind }) => kind !== "map" && kind !== "block").map(({ kind }) => kind)).toEqual(
      kinds,
    );
    expect(todo.reload).toEqual(kinds.length === 0 ? { reason: "backend", detail: "a:v1:far:path:2Fother" } : null);
  });

  test("writes a changed share into the other block before it switches to it", () => {
    const table = catalogOf(
      service("a"),
      instance("a", "i"),
      instance("a", "k", { version: "2", order: 1 }),
      routes("a", { "//a(2)": { share: 1_000 } }),
    );
    const before = planOf(table);
    const running = justStarted(before);
    table.apply(change(routes("a", { "//a(2)": { share: 2_000 } })));
    const todo = roundOf(running, before, table);
    const actions = todo.commands.flatMap((command) =>
      command.kind === "map" ? [`${command.map} ${command.action.do}`] : [],
    );
    expect([...new Set(actions)]).toEqual(["draw add", "routed set", "draw delete"]);
    expect(todo.reload).toBeNull();
  });

  describe("of requests that may ask why", () => {
    const explained = (table: Catalog, revision: number): Plan =>
      plannerOf({ explain: true }).plan(table, { ...INPUTS, revision });
    const revisions = ({ commands }: Round): [at: number, value: string][] =>
      commands.flatMap((command, i): [number, string][] =>
        command.kind === "map" && command.map === "state" && command.action.do === "set"
          ? [[commands.length - 1 - i, command.action.value]]
          : [],
      );
    const round = (running: Running, followed: Plan, table: Catalog): Round => {
      const interim: Parameters<typeof nextRound>[2]["interim"] = (held) =>
        plannerOf({ explain: true }).interim(table, { ...INPUTS, revision: 8 }, { held, keepsLast: true });
      return nextRound(running, explained(table, 8), { ...OPTIONS, followed, interim });
    };

    test("the reasons are switched with the shares, and the revision is set after all else", () => {
      const table = catalogOf(
        service("a"),
        instance("a", "i"),
        instance("a", "k", { version: "2", order: 1 }),
        routes("a", { "//a(2)": { share: 1_000 } }),
      );
      const before = explained(table, 7);
      table.apply(change(routes("a", { "//a(2)": { share: 2_000, when: "header:k=<v>" } })));
      const { blocks, maps } = explained(table, 8);
      const told = [...blocks.values()].flatMap(({ rules }) => rules.filter(({ map }) => map === "reasons"));
      expect(told.map(({ suffix, value }) => `${suffix} ${value}`)).toEqual([
        "|a:v2 //a(2)|20%, a route for any caller",
        "|a:v1 //a|80%, the primary, version 1",
        "|when|0 //a(2)|when header:k=?v?",
      ]);
      expect([...maps.places]).toContainEqual(["a:v2/127.0.0.1:8001", "k"]);
      const running = justStarted(before);
      table.apply(change(routes("a", { "//a(2)": { share: 2_000 } })));
      expect(revisions(round(running, before, table))).toEqual([[0, "8"]]);
    });

    test("the revision stays what it was while a service waits for a reload", () => {
      const table = catalogOf(service("a"), instance("a", "i"));
      const before = explained(table, 7);
      const running = justStarted(before);
      table.apply(change(service("b"), instance("b", "i")));
      const todo = round(running, before, table);
      expect(todo.reload).toMatchObject({ reason: "service" });
      expect([revisions(todo), todo.now.maps.state.get("revision")]).toEqual([[], "7"]);
    });
  });
});

test("steps() leave nothing behind of a switch that was broken off, and take nothing of the next with it", () => {
  const table = catalogOf(
    service("a"),
    instance("a", "i"),
    instance("a", "k", { version: "2", order: 1 }),
    routes("a", { "//a(2)": { share: 1_000 } }),
  );
  const before = planOf(table);
  const proxy = new SimulatedProxy(before);
  const { loaded } = justStarted(before);
  table.apply(change(routes("a", { "//a(2)": { share: 2_000 } })));
  const { commands } = roundOf(justStarted(before), before, table);
  const written = commands.findIndex((command) => command.kind === "map" && command.map === "routed");
  for (const command of commands.slice(0, written)) proxy.apply(command);
  const again = roundOf(proxy.holds(loaded), before, table);
  for (const command of again.commands) proxy.apply(command);
  expect(roundOf(proxy.holds(loaded), again.now, table)).toMatchObject({ commands: [], reload: null });
});

describe("Planner", () => {
  test("makes equal files of equal tables, in whatever order they grew", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const { services, instances, tables: routeTables } = table.snapshot();
        const other = catalogOf(...services.toReversed(), ...instances.toReversed(), ...routeTables);
        expect(mapFiles(planOf(other))).toEqual(mapFiles(planOf(table)));
        const text = (plan: Plan): string => JSON.stringify([...plan.structure.backends]);
        expect(text(planOf(other))).toBe(text(planOf(table)));
      }),
      { numRuns: 60 },
    );
  });

  test("says the same after a change as if it had begun with it", () => {
    fc.assert(
      fc.property(tables, tables, (before, after) => {
        const kept = plannerOf(NEAR);
        const first = kept.plan(before, INPUTS);
        const files: Readonly<Record<string, string>> = mapFiles(first);
        kept.forget(before.apply(before.changeTo(after.snapshot())));
        const plan = kept.plan(before, INPUTS);
        expect(contentsOf(plan)).toEqual(contentsOf(planOf(after)));
        // Only files that may differ are made anew.
        expect({ ...files, ...mapFiles(plan, differingMaps(first, plan)) }).toEqual(mapFiles(planOf(after)));
      }),
      { numRuns: 60 },
    );
  });

  test("gives a port that two TCP services want to the first, and says so", () => {
    const tcp = (name: string) => [
      service(name, { protocol: "tcp", proxyPort: 6_001 }),
      instance(name, "i", { protocol: "tcp", url: "tcp://127.0.0.1:9000" }),
    ];
    const plan = planOf(catalogOf(...tcp("x"), ...tcp("y")));
    expect([...plan.structure.tcpListeners.keys()]).toEqual(["x"]);
    expect(plan.problems).toEqual([{ subject: "//y", message: "Cannot listen on 127.0.0.1:6001 for it: //x has it" }]);
  });

  test("lets no answer of an instance go without the cookie of its session, and leads none to a server that is not there", () => {
    const shop = service("s", { settings: { balance: "cookie:SID" } });
    const [a, b, c] = ["a", "b", "c"].map((name, order) => instance("s", name, { order }));
    const before = planOf(catalogOf(shop, a as Instance, b as Instance));
    const running = justStarted(before);
    const { commands, reload } = roundOf(running, before, catalogOf(shop, b as Instance, c as Instance));
    const shown = commands.flatMap((command) => {
      if (command.kind === "map" && (command.map === "marks" || command.map === "pins")) {
        return [`${command.action.do} ${command.map}`];
      }
      return command.kind === "add-server" || command.kind === "set-server" ? [command.kind] : [];
    });
    expect([reload, shown]).toEqual([
      null,
      ["add marks", "add-server", "add pins", "delete pins", "set-server", "delete marks"],
    ]);
  });
});
