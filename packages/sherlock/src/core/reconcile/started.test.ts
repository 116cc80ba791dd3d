import { describe, expect, test } from "vitest";
import { at, end, known, NO, TABLE, tcp, told } from "../../testing/simulated/play.ts";
import { SimulatedMachine } from "../../testing/simulated/simulated-machine.ts";
import type { Result } from "./state.ts";

describe("reconcile(), where HAProxy does not run", () => {
  test("asks whether HAProxy would take the plan, and starts it with that", () => {
    const machine = new SimulatedMachine({ table: TABLE() });
    machine.take({ event: "due" });
    expect(machine.task?.do).toBe("validate");
    machine.finish();
    expect(machine.task).toMatchObject({ do: "launch", from: "validation" });
    machine.finish();
    expect(machine.state).toMatchObject({ state: "idle", known: { hasNews: false, failures: 0 } });
    expect(told(machine)).toEqual(["release ports", "applied"]);
  });

  test("tries the ports of TCP services first, and leaves out those that others have", () => {
    const machine = new SimulatedMachine({ table: tcp() });
    machine.take({ event: "due" });
    expect(machine.task).toMatchObject({ do: "try ports", ports: [{ host: "127.0.0.1", port: 6_001 }] });
    end(machine, { event: "ports tried", taken: new Map([["127.0.0.1:6001", "nginx has it"]]) });
    expect(machine.task?.do === "validate" && machine.task.plan.structure.tcpListeners.size).toBe(0);
    expect(machine.effects.at(-1)).toEqual({
      effect: "port taken",
      service: "t",
      port: "127.0.0.1:6001",
      reason: "nginx has it",
    });
    at("try ports", machine);
    expect(machine.nowMs).toBeGreaterThanOrEqual(5_000);
    machine.finish();
    expect([...known(machine.state).portsTaken]).toEqual([]);
    machine.settle();
    expect(machine.effects.at(-1)).toEqual({ effect: "applied", problems: [] });
  });

  test("starts without a service whose part HAProxy refuses", () => {
    const machine = new SimulatedMachine({ table: TABLE() });
    machine.take({ event: "due" });
    end(machine, { event: "rejected", reason: "no good", services: ["s"], isSaid: true });
    expect(machine.task?.do === "validate" && machine.task.plan.maps.known.get("s")).toContain("no good");
    machine.finish();
    expect(machine.task?.do).toBe("launch");
    expect(told(machine)).toEqual(["release ports", "quarantined"]);
  });

  test.each<[string, Result]>([
    ["a task fails", NO],
    ["nothing can be blamed for a refusal", { event: "rejected", reason: "no", services: [], isSaid: true }],
  ])("waits longer each time that %s, but not after a change", (_, result) => {
    const machine = new SimulatedMachine({ table: TABLE() });
    machine.take({ event: "due" });
    const waits = [1, 2, 3].map(() => {
      end(machine, result);
      expect([machine.state.state, machine.task]).toEqual(["stopped", null]);
      const waitMs = (machine.dueAtMs ?? 0) - machine.nowMs;
      machine.pass(waitMs);
      expect(machine.task?.do).toBe("validate");
      return waitMs;
    });
    expect(waits).toEqual([20, 40, 80]);
    expect(told(machine).filter((one) => one === "struggles")).toHaveLength(2);
    end(machine, result);
    machine.become(TABLE());
    expect(machine.task?.do).toBe("validate");
    machine.settle();
    expect(machine.effects).toContainEqual({ effect: "struggles", reason: null });
  });

  test("starts again at once what ends while it starts", () => {
    const machine = at(
      "launch",
      (() => {
        const one = new SimulatedMachine({ table: TABLE() });
        one.take({ event: "due" });
        return one;
      })(),
    );
    machine.take({ event: "died" });
    expect(machine.task?.do).toBe("launch");
    machine.finish();
    expect(machine.task).toMatchObject({ do: "launch", from: "disk" });
  });
});
