import { describe, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { catalogOf, instance, service } from "../../testing/entities.ts";
import { at, end, NO, running, told } from "../../testing/simulated/play.ts";
import type { SimulatedMachine } from "../../testing/simulated/simulated-machine.ts";
import type { State } from "./state.ts";

/** A service with two instances, and these others. */
const withServices = (...names: readonly string[]): Catalog =>
  catalogOf(
    service("s"),
    instance("s", "a"),
    instance("s", "b", { order: 1 }),
    ...names.flatMap((name) => [service(name), instance(name, "i")]),
  );

/** A machine with four spare backends, of which these services have taken one each. */
function taking(...names: readonly string[]): SimulatedMachine {
  const machine = running({ config: { spares: 4, refill: { quietMs: 1_000, waitMsMax: 3_000, gapMs: 2_000 } } });
  // The start is long over.
  machine.pass(60_000);
  for (let i = 1; i <= names.length; i++) {
    machine.become(withServices(...names.slice(0, i)));
    at("command", machine).finish();
  }
  return machine;
}

const runningOf = (state: State) => ("proxy" in state ? state.proxy.running : null);
const carriedOf = ({ state }: SimulatedMachine): string[] => [...(runningOf(state)?.carried.keys() ?? [])];
/** What a reload was for, and which tasks led there. */
const reasons = ({ effects }: SimulatedMachine): string[] =>
  effects.flatMap((effect) => (effect.effect === "reloaded" ? [effect.reload.reason] : []));

describe("spare backends that have been taken", () => {
  test("are made anew once half of them are gone and nothing takes one for a moment, after all has been told", () => {
    const machine = taking("a", "b");
    expect(told(machine)).toEqual(["applied", "applied"]);
    machine.settle();
    expect([carriedOf(machine), reasons(machine)]).toEqual([["a:v1", "b:v1"], []]);
    machine.become(withServices("a", "b", "c"));
    at("command", machine).finish();
    expect(carriedOf(machine)).toEqual(["a:v1", "b:v1", "c:v1"]);
    machine.settle();
    expect([carriedOf(machine), reasons(machine)]).toEqual([[], ["spares"]]);
    expect(runningOf(machine.state)?.loaded.backends.has("c:v1")).toBe(true);
  });

  test("are made anew a moment after the last of them was taken", () => {
    const machine = taking("a", "b", "c");
    const beganMs = machine.nowMs;
    for (let i = 0; machine.task?.do !== "validate"; i++) {
      if (machine.task === null) machine.pass(100);
      else machine.finish();
      if (machine.nowMs - beganMs === 500) machine.become(withServices("a", "b", "c", "d"));
      if (i > 100) throw new Error("no reload comes");
    }
    expect(machine.nowMs - beganMs).toBe(1_500);
  });

  test("are tried again later when the reload for them fails", () => {
    const machine = at("validate", taking("a", "b", "c"));
    const failedMs = machine.nowMs;
    end(machine, NO);
    at("validate", machine);
    expect(machine.nowMs - failedMs).toBe(2_000);
    machine.settle();
    expect(reasons(machine)).toEqual(["spares"]);
  });

  test("are left as they are where HAProxy has ended, and it starts with them", () => {
    const machine = taking("a", "b", "c");
    machine.die();
    at("launch", machine);
    machine.finish();
    expect(carriedOf(machine)).toEqual(["a:v1", "b:v1", "c:v1"]);
    machine.settle();
    expect(reasons(machine)).toEqual(["spares"]);
  });
});
