import { describe, expect, test } from "vitest";
import { catalogOf, instance, service } from "../../testing/entities.ts";
import { TABLE, keyed, running, at, during, end, told, known, NO } from "../../testing/simulated/play.ts";
import type { Task } from "./state.ts";

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

  test("says that a change is followed which waited for a reload and needs none any more, as a server has left", () => {
    const machine = running();
    const { state } = machine;
    if (state.state !== "idle") throw new Error(`HAProxy is ${state.state}`);
    const pending = { firstMs: machine.nowMs, lastMs: machine.nowMs };
    machine.state = { ...state, known: { ...state.known, hasNews: false }, proxy: { ...state.proxy, pending } };
    machine.take({ event: "due" });
    expect([machine.task, told(machine)]).toEqual([null, ["applied"]]);
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

  test("starts from what commands brought, also where the files do not follow it yet", () => {
    const machine = during("command");
    machine.finish();
    machine.die();
    expect(machine.task).toMatchObject({ do: "launch", from: "behind" });
    machine.finish();
    // Nothing is left to be brought by commands.
    expect(machine.task).toBeNull();
    expect(machine.applied).toBe(machine.tables);
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

describe("reconcile(), when HAProxy ends", () => {
  test("starts it from the files that it ran with", () => {
    const machine = running();
    machine.die();
    expect(machine.task).toMatchObject({ do: "launch", from: "disk" });
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
    expect(machine.task).toMatchObject({ do: "launch", from: "disk", files: { configVersion } });
  });
});

test("reconcile() takes no result of a task that is not under way", () => {
  expect(() => running().take({ event: "written" })).toThrow(/nothing is under way/);
  expect(() => during("command").take({ event: "launched" })).toThrow(
    /Cannot take "launched" as the result of commanding/,
  );
});
