import type { Catalog } from "@datawire/catalog";
import type { Effect, Result, State, Task } from "../../core/reconcile/state.ts";
import { catalogOf, change, instance, routes, service } from "../entities.ts";
import { SimulatedMachine, type SimulatedMachineOptions } from "./simulated-machine.ts";

/** A service with two instances. */
export const TABLE = () => catalogOf(service("s"), instance("s", "a"), instance("s", "b", { order: 1 }));
/** A key that no route had before comes with a reload. */
export const keyed = (table: Catalog, share = 1_000): Catalog => {
  table.apply(change(routes("s", { "//s@a": { share } }, { sticky: "header:x-user" })));
  return table;
};
/** A TCP service with a port of its own. */
export const tcp = (): Catalog =>
  catalogOf(
    service("t", { protocol: "tcp", proxyPort: 6_001 }),
    instance("t", "a", { protocol: "tcp", url: "tcp://127.0.0.1:9000" }),
  );

/** A machine whose HAProxy follows a table already. */
export function running(options: Partial<SimulatedMachineOptions> = {}): SimulatedMachine {
  const machine = new SimulatedMachine({ table: TABLE(), ...options });
  machine.take({ event: "due" });
  machine.settle();
  machine.effects.length = 0;
  return machine;
}

/** The same with the task of that kind under way. */
export function at(kind: Task["do"], machine: SimulatedMachine): SimulatedMachine {
  for (let i = 0; i < 20 && machine.task?.do !== kind; i++) {
    if (machine.task === null) machine.pass(Math.max(1, (machine.dueAtMs ?? 0) - machine.nowMs));
    else machine.finish();
  }
  if (machine.task?.do !== kind) throw new Error(`Comes to no ${kind}, but to ${machine.task?.do ?? "nothing"}`);
  return machine;
}

/** A machine with the task of that kind under way, for a change that needs it. */
export function during(kind: Task["do"], options: Partial<SimulatedMachineOptions> = {}): SimulatedMachine {
  const machine = running(options);
  const table = TABLE();
  if (kind === "command" || kind === "write files")
    table.apply(change(instance("s", "b", { order: 1, state: "down" })));
  machine.become(kind === "validate" || kind === "reload" ? keyed(table) : table);
  return at(kind, machine);
}

/** Has the task under way end with a result. */
export function end(machine: SimulatedMachine, result: Result): void {
  machine.task = null;
  machine.take(result);
}

/** What has been told, in order. */
export function told({ effects }: SimulatedMachine): Effect["effect"][] {
  return effects.map(({ effect }) => effect);
}

/** What is known whether HAProxy runs or not. */
export const known = (state: State) => state.known;
/** A task that fails. */
export const NO: Extract<Result, { readonly event: "failed" }> = { event: "failed", reason: "no", isRefused: false };
