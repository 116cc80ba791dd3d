import { emptyChange } from "@datawire/protocol";
import { instance } from "@datawire/catalog/testing";
import { expect, test } from "vitest";
import { run } from "../../testing/run.ts";
import { answersOf, world } from "../../testing/world.ts";

function states() {
  const table = world();
  const position = { epoch: "e", revision: 7 };
  const later = { epoch: "e", revision: 8 };
  return [
    () => ({ table, update: { services: new Set(table.serviceNames()), position, atMs: null, routes: true } }),
    () => {
      const instances = [instance("emitter@vm1", { state: "down", reason: "\u001b[2J" })];
      return {
        table,
        update: { services: table.apply({ ...emptyChange(), instances }), position: later, atMs: 0, routes: false },
      };
    },
  ];
}

type Step = ReturnType<typeof states>[number];

test("watch prints each change and not what is there already", async () => {
  const { code, stdout } = await run("watch", { answers: answersOf(world()), states: states() });
  expect(code).toBe(0);
  expect(stdout).toBe("2026-11-20T12:00:00.000Z  //emitter@vm1  live → down: \\u001b[2J\n");
});

test("watch does not print what the table that comes first is behind with", async () => {
  const [begin, change] = states() as [Step, Step];
  const old = { services: new Set<string>(), position: { epoch: "e", revision: 7 }, atMs: 0, routes: false };
  const behind = () => {
    const table = begin().table;
    const services = table.apply({ ...emptyChange(), instances: [instance("emitter@vm9")] });
    return { table, update: { ...old, services } };
  };
  const { stdout } = await run("watch", { answers: answersOf(world()), states: [begin, behind, change] });
  expect(stdout).toBe("2026-11-20T12:00:00.000Z  //emitter@vm1  live → down: \\u001b[2J\n");
});

test("watch --json prints one document a line", async () => {
  const { stdout } = await run("watch --json", { answers: answersOf(world()), states: states() });
  expect(JSON.parse(stdout)).toEqual({
    at: "2026-11-20T12:00:00.000Z",
    kind: "instance",
    subject: "//emitter@vm1",
    message: "live → down: \u001b[2J",
  });
});
