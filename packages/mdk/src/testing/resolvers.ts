import { fractionsBy } from "@datawire/protocol/testing/chance";
import type { Catalog } from "@datawire/catalog";
import { emptyChange, type TableChange } from "@datawire/protocol";
import type { BreakerSettings } from "../session/breaker.ts";
import { SANDBOX, type Environment } from "../session/context.ts";
import type { Choice } from "../session/node.ts";
import type { ResolveOptions } from "../session/types.ts";
import { Resolver } from "../resolve/resolver.ts";
import { TestClock } from "./sessions.ts";

/** A resolver over tables that a test changes. */
export function resolverOver(
  tables: Readonly<Record<string, Catalog>>,
  {
    caller = "shop",
    zone = null,
    breaker = { failures: 3, pauseMs: 30_000 },
  }: { readonly caller?: string; readonly zone?: string | null; readonly breaker?: BreakerSettings } = {},
) {
  const clock = new TestClock();
  const released: string[] = [];
  const known = new Map(Object.entries(tables));
  const resolver = new Resolver(
    { caller: { caller, zone }, breaker },
    {
      clock,
      random: fractionsBy(7),
      sourceOf: (environment) => {
        const table = known.get(environment);
        if (table === undefined) throw new Error(`no table of ${environment}`);
        return { table, missing: () => null };
      },
      release: (environment) => released.push(environment),
    },
  );
  const environmentOf = (options: { readonly environment?: Environment }): Environment =>
    options.environment ?? SANDBOX;
  return {
    clock,
    resolver,
    /** The environments that were followed and are no more. */
    released,
    pick: (
      service: string,
      version: string | null = null,
      options: ResolveOptions & { environment?: Environment } = {},
    ) => resolver.pick(environmentOf(options), service, version, options),
    wait: (
      service: string,
      version: string | null = null,
      options: ResolveOptions & { environment?: Environment } = {},
    ) => resolver.wait({ environment: environmentOf(options), service, version, options, remainingMs: null }),
    /** Changes the table of an environment. */
    change(change: Partial<TableChange>, environment = "sandbox"): void {
      const services = known.get(environment)?.apply({ ...emptyChange(), ...change }) ?? [];
      resolver.changed(environment, services);
    },
  };
}

/** How often each node comes. */
export function countNodes(count: number, pick: () => Choice | null): Record<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const id = pick()?.node.id ?? "none";
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
