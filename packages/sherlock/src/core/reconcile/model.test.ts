import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { differencesFrom, exchangesServers, judgeOf } from "../../testing/simulated/judge.ts";
import { SimulatedMachine } from "../../testing/simulated/simulated-machine.ts";
import { changes, tableFrom, type World, worlds } from "../../testing/simulated/worlds.ts";

/** Any order of events: changes, tasks that end well, badly or in part, time, and the end of HAProxy at any moment. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ happens: "finish" as const }) },
  { weight: 3, arbitrary: fc.record({ happens: fc.constant("change" as const), change: changes }) },
  {
    weight: 2,
    arbitrary: fc.record({ happens: fc.constant("pass" as const), ms: fc.constantFrom(1, 30, 400, 6_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ happens: "die" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      happens: fc.constant("fail" as const),
      part: fc.constantFrom(0, 0.3, 0.7, 1),
      isRefused: fc.boolean(),
    }),
  },
);
type Happening = ReturnType<typeof happening.generate>["value"];

const histories = fc.array(happening, { minLength: 4, maxLength: 40 });
const TABLES_MAX = 4;
/** None, too few, and enough. */
const someSpares = fc.constantFrom(0, 2, 8);
const RUNS = process.env["DSTACK_SOAK"] === "1" ? 3_000 : 40;

function happen(machine: SimulatedMachine, what: Happening, next: () => Catalog | null): void {
  switch (what.happens) {
    case "change": {
      const table = next();
      if (table !== null) machine.become(table);
      return;
    }
    case "finish":
      return machine.finish();
    case "fail":
      return machine.fail(what.part, what.isRefused);
    case "die":
      return machine.die();
    case "pass":
      return machine.pass(what.ms);
  }
}

/** The tables that there will be, one after the other. */
function tablesOf(world: World, happenings: readonly Happening[]): Catalog[] {
  let at = world;
  const tables = [tableFrom(at)];
  for (const what of happenings) {
    if (what.happens !== "change" || tables.length >= TABLES_MAX) continue;
    at = what.change(at);
    tables.push(tableFrom(at));
  }
  return tables;
}

test("reconcile() keeps the promises of every moment, and ends where the table is, whatever happens in which order", () => {
  fc.assert(
    fc.property(worlds, histories, someSpares, (world, happenings, spares) => {
      const tables = tablesOf(world, happenings);
      fc.pre(!exchangesServers(tables));
      const judge = judgeOf(tables);
      const wrong: string[] = [];
      const machine = new SimulatedMachine({
        table: tables[0] as Catalog,
        config: { spares },
        onMoment: (proxy, what) => wrong.push(...judge.wrongAtMoment(proxy).map((one) => `${one} after ${what}`)),
        // Nothing is acknowledged that is not so.
        onApplied: (table, proxy) => wrong.push(...differencesFrom(table, proxy)),
      });
      machine.take({ event: "due" });
      let at = 0;
      for (const what of happenings) {
        happen(machine, what, () => tables[++at] ?? null);
        if (wrong.length > 0) break;
      }
      expect(wrong.slice(0, 3)).toEqual([]);
      machine.settle();
      expect(wrong.slice(0, 3)).toEqual([]);
      // Every revision has been followed, or one after it has.
      expect(machine.applied).toBe(machine.tables);
      expect(machine.state).toMatchObject({ state: "idle", known: { failures: 0, hasNews: false } });
      const { proxy } = machine;
      expect(proxy === null ? ["no HAProxy"] : differencesFrom(machine.table, proxy).slice(0, 3)).toEqual([]);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
