import { describe, expect, test } from "vitest";
import { catalogOf, instance, service } from "../../testing/entities.ts";
import { TABLE, keyed, tcp, running, at, during, end, told, known, NO } from "../../testing/simulated/play.ts";

describe("reconcile(), where a change needs a reload", () => {
  test("waits for changes that come together, and reloads once", () => {
    const machine = running();
    machine.pass(1_000);
    const beganMs = machine.nowMs;
    machine.become(keyed(TABLE()));
    expect([machine.task, machine.dueAtMs]).toEqual([null, beganMs + 25]);
    machine.pass(20);
    machine.become(keyed(TABLE(), 2_000));
    expect(machine.dueAtMs).toBe(beganMs + 45);
    at("reload", machine);
    machine.finish();
    machine.settle();
    expect(told(machine).filter((one) => one === "reloaded")).toHaveLength(1);
    expect(machine.applied).toBe(machine.tables);
  });

  test("reloads not sooner after a reload than it may", () => {
    const machine = during("reload");
    machine.finish();
    const endedMs = machine.nowMs;
    machine.settle();
    machine.become(catalogOf(service("s"), service("new"), instance("new", "a")));
    machine.settle();
    expect(known(machine.state).lastReloadMs).toBeGreaterThanOrEqual(endedMs + 300);
  });

  test("changes nothing that requests meet before the commands after the reload", () => {
    const machine = during("reload");
    machine.finish();
    expect(machine.task?.do).toBe("command");
    expect(told(machine)).toEqual(["reloaded"]);
    machine.finish();
    expect(told(machine)).toEqual(["reloaded", "applied"]);
  });

  test("does not reload for what was taken back", () => {
    const machine = running();
    machine.become(keyed(TABLE()));
    machine.become(TABLE());
    machine.settle();
    expect(told(machine)).not.toContain("reloaded");
    const later = during("validate");
    later.become(TABLE());
    later.settle();
    expect(told(later)).not.toContain("reloaded");
    expect(later.applied).toBe(later.tables);
  });

  test("tries a port that is new before HAProxy does", () => {
    const machine = running();
    machine.become(tcp());
    at("try ports", machine);
    end(machine, { event: "ports tried", taken: new Map([["127.0.0.1:6001", "nginx has it"]]) });
    expect(told(machine)).toEqual(["port taken"]);
    expect(machine.task?.do === "validate" && machine.task.plan.structure.tcpListeners.size).toBe(0);
  });

  test("leaves a service as it was whose part HAProxy refuses, and leaves it out where that is refused too", () => {
    const machine = during("validate");
    end(machine, { event: "rejected", reason: "no good", services: ["s"], isSaid: true });
    expect(machine.task?.do === "validate" && machine.task.plan.views.has("s")).toBe(true);
    end(machine, { event: "rejected", reason: "no good", services: ["s"], isSaid: true });
    expect(machine.task?.do === "validate" && machine.task.plan.views.has("s")).toBe(false);
    machine.settle();
    expect(machine.effects.at(-1)).toMatchObject({ effect: "applied", problems: [{ subject: "//s" }] });
    // A change may be accepted.
    machine.become(TABLE());
    machine.settle();
    expect(machine.effects.at(-1)).toEqual({ effect: "applied", problems: [] });
  });

  test("blames no service that has changed since HAProxy was asked", () => {
    const machine = during("validate");
    machine.become(keyed(TABLE(), 2_000));
    end(machine, { event: "rejected", reason: "no good", services: ["s"], isSaid: true });
    expect(machine.task?.do).toBe("validate");
    expect([...known(machine.state).quarantine.reasons]).toEqual([]);
  });

  test("goes on with the old configuration where nobody can be blamed, until something changes", () => {
    const machine = during("validate");
    end(machine, { event: "rejected", reason: "line 1", services: [], isSaid: true });
    expect(told(machine)).toEqual(["reload failed", "refused", "applied"]);
    expect(machine.effects.at(-1)).toMatchObject({ problems: [{ subject: "HAProxy", message: "line 1" }] });
    machine.pass(60_000);
    expect(machine.task).toBeNull();
    machine.become(keyed(TABLE(), 2_000));
    at("reload", machine);
    machine.finish();
    machine.settle();
    expect(machine.effects.at(-1)).toEqual({ effect: "applied", problems: [] });
  });

  test("tries again what has changed while HAProxy refused it as it was", () => {
    const machine = during("validate");
    machine.become(keyed(TABLE(), 2_000));
    end(machine, { event: "rejected", reason: "line 1", services: [], isSaid: true });
    machine.settle();
    expect(told(machine)).toContain("reloaded");
    expect(machine.applied).toBe(machine.tables);
  });

  test("says that a reload failed, and tries it again", () => {
    const machine = during("reload");
    end(machine, NO);
    expect(told(machine)).toEqual(["reload failed", "failed"]);
    machine.settle();
    expect(machine.applied).toBe(machine.tables);
  });

  test("needs a reload for everything where the template has no runtime socket", () => {
    const machine = during("reload", { config: { runtimeCommands: false } });
    machine.finish();
    machine.settle();
    expect(told(machine)).toEqual(["reloaded", "applied"]);
  });
});
