import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { explain } from "@datawire/routing";
import { INSTANCE_STATES, SLOTS, type SlotRange } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { instance, routes, service, catalogOf } from "../../testing/entities.ts";
import { INPUTS, plannerOf } from "../../testing/plans.ts";
import type { Plan } from "../model/plan.ts";
import { BLOCK_SIZE, type BlockPart } from "../model/prefixes.ts";
import { ReachableTable, type Resolve } from "./reachable-table.ts";

/** What HAProxy does with the plan, request for request, against what `dw explain` says of the table. */

const resolve: Resolve = (host) =>
  host === "unknown" ? { state: "unknown", reason: "does not resolve" } : { state: "known", address: "10.0.0.1" };

function planOf(table: Catalog, zone: string | null): Plan {
  const planner = plannerOf({ zone, tcp: { listen: new Map(), range: null } });
  return planner.plan(table, { ...INPUTS, resolve });
}

/** The share of each instance in the requests to a service, in percent. */
function sharesOf(plan: Plan, name: string): Map<string, number> {
  const shares = new Map<string, number>();
  const plain = plan.maps.plain.get(name);
  const base = plan.maps.routed.get(name) ?? plan.maps.special.get(name);
  if (plain !== undefined) enter(plan, shares, plain, 100);
  else if (base !== undefined) divide(plan, shares, Number(base), { of: SLOTS, percent: 100 });
  return shares;
}

function divide(
  plan: Plan,
  shares: Map<string, number>,
  base: number,
  { of, percent }: { of: number; percent: number },
): void {
  const [first, ...others] = plan.blocks.get(base)?.parts ?? [];
  const count = (slots: readonly SlotRange[]): number => slots.reduce((sum, [from, to]) => sum + to - from, 0);
  const taken = others.reduce((sum, { slots }) => sum + count(slots), 0);
  enter(plan, shares, (first as BlockPart).node, ((of - taken) / of) * percent);
  for (const { node, slots } of others) enter(plan, shares, node, (count(slots) / of) * percent);
}

function enter(plan: Plan, shares: Map<string, number>, node: string, percent: number): void {
  const split = plan.maps.split.get(node);
  if (split !== undefined) return divide(plan, shares, Number(split), { of: BLOCK_SIZE, percent });
  const ready = [...(plan.servers.get(node)?.values() ?? [])].filter((server) => server.ready);
  const ordered = plan.structure.backends.get(node)?.balance.kind === "ordered";
  const used = ordered ? ready.toSorted((a, b) => a.id - b.id).slice(0, 1) : ready;
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  for (const server of used) {
    const id = `${plan.structure.backends.get(node)?.service}@${server.instances[0]?.name ?? "default"}`;
    shares.set(id, (shares.get(id) ?? 0) + (percent * server.weight) / total);
  }
}

const generated = fc.record({
  instances: fc.uniqueArray(
    fc.record({
      service: fc.constantFrom("a", "a", "b"),
      name: fc.constantFrom("i1", "i2", "i3", "i4", "i5"),
      version: fc.constantFrom(null, "1", "1.4", "2", "2.1"),
      state: fc.constantFrom("live" as const, ...INSTANCE_STATES),
      weight: fc.integer({ min: 1, max: 256 }),
      zone: fc.constantFrom(null, "near", "far"),
      host: fc.constantFrom("h", "h", "h", "unknown"),
      base: fc.constantFrom("", "", "/base"),
    }),
    { selector: (made) => `${made.service}@${made.name}`, maxLength: 10 },
  ),
  primary: fc.constantFrom("", "1", "2"),
  settings: fc.record({
    failover: fc.constantFrom("any" as const, "none" as const),
    balance: fc.constantFrom(null, "ordered"),
    defaultUrl: fc.constantFrom(null, "http://old/x"),
  }),
  targets: fc.uniqueArray(fc.constantFrom("//a(2)", "//a(2.1)", "//a(1.4)", "//a@i1", "//b", "//b(1)"), {
    maxLength: 3,
  }),
  shares: fc.tuple(
    fc.integer({ min: 0, max: 3_300 }),
    fc.integer({ min: 0, max: 3_300 }),
    fc.integer({ min: 0, max: 3_300 }),
  ),
  caller: fc.constantFrom("*", "monolith", "another"),
  zone: fc.constantFrom(null, "near"),
});

test("every instance gets the percentage that explain() says", () => {
  fc.assert(
    fc.property(generated, ({ instances, primary, settings, targets, shares, caller, zone }) => {
      const table = catalogOf(
        service("a", { primary, settings }),
        service("b", { primary: "1" }),
        ...instances.map(({ host, base, ...fields }, order) =>
          instance(fields.service, fields.name, { ...fields, order, url: `http://${host}:${1_000 + order}${base}` }),
        ),
        ...(targets.length === 0
          ? []
          : [
              routes("a", Object.fromEntries(targets.map((target, i) => [target, { share: shares[i] as number }])), {
                caller,
              }),
            ]),
      );
      const explanation = explain(new ReachableTable(table, resolve), "a", { caller: "monolith", zone });
      const got = sharesOf(planOf(table, zone), "a");
      const wanted = new Map<string, number>();
      for (const share of explanation?.shares ?? []) {
        for (const { name, percent, url } of share.instances) {
          const port = Number(new URL(url).port || 0) - 1_000;
          const owner = port < 0 ? "a" : (instances[port]?.service ?? "a");
          wanted.set(`${owner}@${name}`, (wanted.get(`${owner}@${name}`) ?? 0) + percent);
        }
      }
      const ids = [...new Set([...got.keys(), ...wanted.keys()])];
      // A second draw counts in 16,384ths, so that each step of a split may be off by that much.
      const differing = ids.filter((id) => Math.abs((got.get(id) ?? 0) - (wanted.get(id) ?? 0)) >= 0.02);
      expect(differing.map((id) => [id, got.get(id), wanted.get(id)])).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
