import fc from "@datawire/protocol/testing/random";
import { describe, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { differencesFrom, exchangesServers, judgeOf } from "../../testing/simulated/judge.ts";
import { catalogOf, instance, routes, service } from "../../testing/entities.ts";
import { contentsOf, INPUTS, justStarted, planOf, plannerOf, roundText, SHARED } from "../../testing/plans.ts";
import { SimulatedProxy } from "../../testing/simulated/simulated-proxy.ts";
import { changed, tableFrom, withDeaths } from "../../testing/simulated/worlds.ts";
import { isBlockMap } from "../model/block-lines.ts";
import { type Command, note } from "../model/commands.ts";
import type { Plan } from "../model/plan.ts";
import type { Running } from "../model/running.ts";
import { spareNames } from "../model/spares.ts";
import { preparedFor } from "./prepared.ts";
import { nextRound, type Round, type RoundOptions } from "./transition.ts";

/** Every moment between two tables, as the requests see it: after each command, and on both sides of a reload. */

const OPTIONS = { shared: SHARED, dynamicServers: true, unusedBackendsMax: 100 };

/** The round where HAProxy is known to be all of a plan, which looks at what differs alone; it has to be the whole one. */
function roundOf(running: Running, wanted: Plan, options: RoundOptions): Round {
  const whole = nextRound(running, wanted, { ...options, isSettled: false });
  if (!options.isSettled) return whole;
  const round = nextRound(running, wanted, options);
  expect(roundText(round)).toEqual(roundText(whole));
  return round;
}

/** Follows one table after the other, and says what the proxy is like at every moment; the last one follows the last. */
function* moments(
  tables: readonly Catalog[],
  spares: number,
): Generator<{ readonly at: string; readonly proxy: SimulatedProxy }> {
  const [first, ...others] = tables;
  const table = catalogOf();
  const planner = plannerOf();
  /** Made of the plan before, as one is of a table that changes. */
  const planNext = (next: Catalog): Plan => {
    planner.forget(table.apply(table.changeTo(next.snapshot())));
    const plan = planner.plan(table, INPUTS);
    expect(contentsOf(plan)).toEqual(contentsOf(planOf(next)));
    return plan;
  };
  const start = planNext(first as Catalog);
  let proxy = new SimulatedProxy(start, spareNames("start", spares));
  let running = justStarted(start, spareNames("start", spares));
  let followed: Plan | null = start;
  let isSettled = false;
  yield { at: "the start", proxy };
  for (const [i, next] of others.entries()) {
    const wanted = planNext(next);
    const interim: RoundOptions["interim"] = (held) => {
      const plan = planner.interim(table, INPUTS, { held, keepsLast: true });
      expect(contentsOf(plan)).toEqual(contentsOf(plannerOf().interim(next, INPUTS, { held, keepsLast: true })));
      return plan;
    };
    const { commands, reload, now, settles } = roundOf(running, wanted, { ...OPTIONS, followed, isSettled, interim });
    for (const [n, command] of commands.entries()) {
      proxy.apply(command);
      note(running, command);
      if (!isLastOfItsKind(command, commands[n + 1])) continue;
      yield { at: `table ${i + 1}, after command ${n} ${JSON.stringify(command)}`, proxy };
    }
    followed = now;
    isSettled = settles;
    // A reload waits for changes that may come together; the next one may be there before it.
    if (reload === null || i < others.length - 1) continue;
    const prepared = preparedFor(wanted, now);
    const made = spareNames(`reload ${i}`, spares);
    proxy = new SimulatedProxy(prepared, made);
    running = justStarted(prepared, made);
    yield { at: `the reload for ${reload.reason} ${reload.detail}`, proxy };
    const after = roundOf(running, wanted, { ...OPTIONS, followed: prepared, isSettled: false, interim });
    if (after.reload !== null) throw new Error(`A reload left ${after.reload.reason} ${after.reload.detail}`);
    for (const [n, command] of after.commands.entries()) {
      proxy.apply(command);
      if (!isLastOfItsKind(command, after.commands[n + 1])) continue;
      yield { at: `after the reload, after command ${n} ${JSON.stringify(command)}`, proxy };
    }
    followed = after.now;
    isSettled = after.settles;
  }
}

/** Lines of blocks come and go many at a time; what is wrong after one of them is wrong after the last. */
function isLastOfItsKind(command: Command, next: Command | undefined): boolean {
  const isLine = (one: Command | undefined): boolean => one?.kind === "map" && isBlockMap(one.map);
  return !isLine(command) || !isLine(next);
}

function broken(tables: readonly Catalog[], spares = 0): string[] {
  const judge = judgeOf(tables);
  let end: SimulatedProxy | null = null;
  for (const { at, proxy } of moments(tables, spares)) {
    end = proxy;
    const found = judge.wrongAtMoment(proxy);
    if (found.length > 0) return found.slice(0, 4).map((one) => `${one} at ${at}`);
  }
  return differencesFrom(tables.at(-1) as Catalog, end as SimulatedProxy).slice(0, 4);
}

test("a service that is new and waits is led to by nothing, however many changes come before its reload", () => {
  const a = [service("a"), instance("a", "i2", { url: "http://10.0.0.1:1002" })];
  const toNothing = catalogOf(...a, routes("a", { "//b": { share: 3_000 } }));
  const otherwise = routes("a", { "//a@i2": { share: 0, when: "cookie:k=v" } }, { sticky: "header:u" });
  const b = [service("b"), instance("b", "i1", { url: "http://10.0.0.1:2001", order: 1 })];
  const both = catalogOf(...a, otherwise, ...b);
  expect(broken([toNothing, both, both])).toEqual([]);
});

test("servers that leave a group which is asked in order leave from its end", () => {
  const b = (name: string, order: number) => instance("b", name, { url: `http://10.0.0.1:200${order}`, order });
  const inOrder = service("b", { settings: { balance: "ordered" } });
  const three = [b("i1", 1), b("i2", 2), b("i3", 3)];
  expect(broken([catalogOf(inOrder, ...three), catalogOf(inOrder, b("i3", 3))])).toEqual([]);
});

test("what waits leads to no service that has gone meanwhile", () => {
  const a = (name: string, version: string, order: number, state: "live" | "down" = "live") =>
    instance("a", name, { url: `http://10.0.0.1:100${order}`, version, order, state });
  const toB = routes(
    "a",
    {
      "//b": { share: 500, when: "header:k=v" },
      "//a(2.1)": { share: 3_000, when: "header:k=v" },
      "//a@i2": { share: 0, when: "header:k=v" },
    },
    { caller: "monolith" },
  );
  const before = catalogOf(
    service("a", { primary: "1" }),
    a("i2", "2.1", 2, "down"),
    a("i3", "2", 3),
    toB,
    service("b", { primary: "2", settings: { defaultUrl: "http://10.0.0.1:9000/old" } }),
  );
  const after = catalogOf(
    service("a", { primary: "1", settings: { timeoutMs: 5_000 } }),
    a("i2", "2", 2),
    a("i3", "3", 3),
    toB,
  );
  expect(broken([before, after])).toEqual([]);
});

/** Random cases cost a tenth of a second each, as every moment is looked at with hundreds of requests. */
const RUNS = process.env["DSTACK_SOAK"] === "1" ? 600 : 25;

/** None, too few, and enough. */
const someSpares = fc.constantFrom(0, 2, 8);

describe("every moment keeps the promises", () => {
  test.each<readonly [string, (from: Catalog, to: Catalog) => readonly Catalog[]]>([
    ["between a table and one that differs by a change or three", (from, to) => [from, to]],
    ["between a change and its undoing", (from, to) => [to, from]],
    ["when a change is undone before the reload that it waits for", (from, to) => [from, to, from]],
    ["when instances die while a change waits for its reload", (from, to) => [from, to, withDeaths(to)]],
  ])("%s", (_, sequence) => {
    fc.assert(
      fc.property(changed, someSpares, ([from, to], spares) => {
        const tables = sequence(tableFrom(from), tableFrom(to));
        fc.pre(!exchangesServers(tables));
        expect(broken(tables, spares)).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  test("between three changes one after the other", () => {
    fc.assert(
      fc.property(changed, changed, someSpares, ([from, to], [other], spares) => {
        const mixed = { ...to, a: { ...to.a, routes: other.a.routes }, b: { ...to.b, instances: other.b.instances } };
        const tables = [from, to, mixed].map((world) => tableFrom(world));
        fc.pre(!exchangesServers(tables));
        expect(broken(tables, spares)).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
