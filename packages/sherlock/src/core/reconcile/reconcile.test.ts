import { describe, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { catalogOf, change, instance, routes, service } from "../../testing/entities.ts";
import { SimulatedMachine, type SimulatedMachineOptions } from "../../testing/simulated/simulated-machine.ts";
import type { Effect, Result, State, Task } from "./state.ts";

const TABLE = () => catalogOf(service("s"), instance("s", "a"), instance("s", "b", { order: 1 }));
/** A key that no route had before comes with a reload. */
const keyed = (table: Catalog, share = 1_000): Catalog => {
  table.apply(change(routes("s", { "//s@a": { share } }, { sticky: "header:x-user" })));
  return table;
};
const tcp = (): Catalog =>
  catalogOf(
    service("t", { protocol: "tcp", proxyPort: 6_001 }),
    instance("t", "a", { protocol: "tcp", url: "tcp://127.0.0.1:9000" }),
  );

/** A machine whose HAProxy follows a table already. */
function running(options: Partial<SimulatedMachineOptions> = {}): SimulatedMachine {
  const machine = new SimulatedMachine({ table: TABLE(), ...options });
  machine.take({ event: "due" });
  machine.settle();
  machine.effects.length = 0;
  return machine;
}

/** The same with the task of that kind under way. */
function at(kind: Task["do"], machine: SimulatedMachine): SimulatedMachine {
  for (let i = 0; i < 20 && machine.task?.do !== kind; i++) {
    if (machine.task === null) machine.pass(Math.max(1, (machine.dueAtMs ?? 0) - machine.nowMs));
    else machine.finish();
  }
  expect(machine.task?.do).toBe(kind);
  return machine;
}

/** A machine with the task of that kind under way, for a change that needs it. */
function during(kind: Task["do"], options: Partial<SimulatedMachineOptions> = {}): SimulatedMachine {
  const machine = running(options);
  const table = TABLE();
  if (kind === "command" || kind === "write files")
    table.apply(change(instance("s", "b", { order: 1, state: "down" })));
  machine.become(kind === "validate" || kind === "reload" ? keyed(table) : table);
  return at(kind, machine);
}

function end(machine: SimulatedMachine, result: Result): void {
  machine.task = null;
  machine.take(result);
}

function told({ effects }: SimulatedMachine): Effect["effect"][] {
  return effects.map(({ effect }) => effect);
}

const known = (state: State) => state.known;
const NO: Result = { event: "failed", reason: "no", isRefused: false };

describe("reconcile(), where HAProxy does not run", () => {
  test("asks whether HAProxy would take the plan, and starts it with that", () => {
    const machine = new SimulatedMachine({ table: TABLE() });
    machine.take({ event: "due" });
    expect(machine.task?.do).toBe("validate");
    machine.finish();
    expect(machine.task).toMatchObject({ do: "launch", areNew: true });
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
    end(machine, { event: "rejected", reason: "no good", services: ["s"] });
    expect(machine.task?.do === "validate" && machine.task.plan.maps.known.get("s")).toContain("no good");
    machine.finish();
    expect(machine.task?.do).toBe("launch");
    expect(told(machine)).toEqual(["release ports", "quarantined"]);
  });

  test.each<[string, Result]>([
    ["a task fails", NO],
    ["nothing can be blamed for a refusal", { event: "rejected", reason: "no", services: [] }],
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
    expect(machine.task).toMatchObject({ do: "launch", areNew: false });
  });
});

describe("reconcile(), where HAProxy runs", () => {
  test("does nothing for a change that changes nothing, and says that it is followed", () => {
    const machine = running();
    machine.become(TABLE());
    expect([machine.task, told(machine)]).toEqual([null, ["applied"]]);
  });

  test("follows a change by commands, and says so once they are done", () => {
    const machine = during("command");
    expect(told(machine)).toEqual([]);
    machine.finish();
    expect([machine.task, told(machine)]).toEqual([null, ["applied"]]);
  });

  test("answers changes that come during a task together, after it", () => {
    const machine = during("command");
    machine.become(keyed(TABLE()));
    machine.become(TABLE());
    expect(machine.task?.do).toBe("command");
    machine.finish();
    expect(machine.applied).toBeLessThan(machine.tables);
    machine.settle();
    expect(machine.applied).toBe(machine.tables);
    expect(told(machine)).toEqual(["applied", "applied"]);
    expect(told(machine)).not.toContain("reloaded");
  });

  test("brings the files to what commands changed a second later", () => {
    const machine = during("write files");
    expect(machine.nowMs).toBeGreaterThanOrEqual(1_000);
    machine.finish();
    expect(known(machine.state).filesAtMs).toBeNull();
  });

  test("writes files again that could not be written, and starts from the ones before until then", () => {
    const machine = during("write files");
    const before = known(machine.state).files;
    end(machine, NO);
    at("write files", machine);
    machine.die();
    machine.finish();
    expect(machine.task?.do === "launch" && machine.task.files.configVersion).toBe(before?.configVersion);
  });

  test("reads what HAProxy holds after a failure, before it says anything more to it", () => {
    const machine = during("command");
    end(machine, NO);
    expect(machine.task?.do).toBe("read");
    end(machine, NO);
    expect(machine.task).toBeNull();
    at("read", machine);
    machine.finish();
    at("command", machine);
    machine.finish();
    expect(told(machine)).toEqual(["failed", "unreadable", "struggles", "struggles", "applied"]);
    expect(known(machine.state).failures).toBe(0);
  });

  test("answers commands that are refused again and again by a reload that brings everything", () => {
    const machine = during("command");
    for (let i = 0; i < 3; i++) {
      end(at("command", machine), { ...NO, isRefused: true });
      machine.finish();
    }
    at("reload", machine);
    machine.finish();
    expect(machine.effects).toContainEqual(
      expect.objectContaining({ effect: "reloaded", reload: expect.objectContaining({ reason: "repair" }) }),
    );
    expect(machine.task).toBeNull();
    expect(machine.applied).toBe(machine.tables);
  });

  test("answers an HAProxy that does not say what it holds by a reload that brings everything", () => {
    const machine = during("command");
    end(machine, NO);
    for (let i = 0; i < 3; i++) end(at("read", machine), NO);
    at("reload", machine);
    machine.finish();
    machine.settle();
    expect(machine.applied).toBe(machine.tables);
  });

  test("ends what a server that has left still serves, and deletes it once nothing stands for it", () => {
    const machine = running();
    machine.become(catalogOf(service("s"), instance("s", "a")));
    machine.finish();
    at("end servers", machine);
    expect([machine.task, machine.nowMs >= 10_000]).toMatchObject([
      { cut: ["s:v1/127.0.0.1:8001"], remove: ["s:v1/127.0.0.1:8001"] },
      true,
    ]);
    end(machine, { event: "ended", removed: [] });
    // HAProxy refuses while it has connections: it is asked again, and the server is used again should it come back.
    at("end servers", machine);
    expect(machine.task).toMatchObject({ cut: [], remove: ["s:v1/127.0.0.1:8001"] });
    machine.finish();
    expect(machine.dueAtMs).toBeNull();
  });
});

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
    end(machine, { event: "rejected", reason: "no good", services: ["s"] });
    expect(machine.task?.do === "validate" && machine.task.plan.views.has("s")).toBe(true);
    end(machine, { event: "rejected", reason: "no good", services: ["s"] });
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
    end(machine, { event: "rejected", reason: "no good", services: ["s"] });
    expect(machine.task?.do).toBe("validate");
    expect([...known(machine.state).quarantine.reasons]).toEqual([]);
  });

  test("goes on with the old configuration where nobody can be blamed, until something changes", () => {
    const machine = during("validate");
    end(machine, { event: "rejected", reason: "line 1", services: [] });
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
    end(machine, { event: "rejected", reason: "line 1", services: [] });
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

describe("reconcile(), when HAProxy ends", () => {
  test("starts it from the files that it ran with", () => {
    const machine = running();
    machine.die();
    expect(machine.task).toMatchObject({ do: "launch", areNew: false });
    // When it does not start with them, they are made anew.
    end(machine, NO);
    machine.pass(20);
    expect(machine.task?.do).toBe("validate");
  });

  test.each<Task["do"]>(["command", "validate", "write files", "reload"])(
    "lets %s come to its end, and starts it then, whatever came of that",
    (kind) => {
      for (const fails of [false, true]) {
        const machine = during(kind);
        machine.die();
        expect(machine.task?.do).toBe(kind);
        if (fails) end(machine, NO);
        else machine.finish();
        // A reload may have left the files between two configurations.
        expect(machine.task?.do).toBe(kind === "reload" ? "validate" : "launch");
        machine.settle();
        expect(machine.applied).toBe(machine.tables);
      }
    },
  );

  test("starts it with what a reload has brought when it ends right after", () => {
    const machine = during("reload");
    const { configVersion } = (machine.task as Extract<Task, { readonly do: "reload" }>).files;
    const servers = new Map();
    machine.take({ event: "died" });
    end(machine, { event: "reloaded", servers });
    expect(machine.task).toMatchObject({ do: "launch", areNew: false, files: { configVersion } });
  });
});

test("reconcile() takes no result of a task that is not under way", () => {
  expect(() => running().take({ event: "written" })).toThrow(/nothing is under way/);
  expect(() => during("command").take({ event: "launched" })).toThrow(
    /Cannot take "launched" as the result of commanding/,
  );
});
