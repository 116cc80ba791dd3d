import { emptyChange, type TableChange } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { instance, routes } from "@datawire/catalog/testing";
import { expect, test } from "vitest";
import { callerOf } from "../../testing/answers.ts";
import { run, text } from "../../testing/run.ts";
import { answersOf, world } from "../../testing/world.ts";

test("route list prints the effective distribution of every service, routes or not", async () => {
  const { code, stdout, stderr } = await run("route list", { answers: answersOf(world()) });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(text`
    CALLER    SERVICE  TARGET       SHARE  ROUTE                                   INSTANCES
    *         barker   //barker      100%  -                                       vm1: the primary, version 1
    monolith  barker   //barker(2)    10%  10%, sticky header:x-user, 1h 59m left  vm3: a route for monolith
    monolith  barker   //barker       90%  -                                       vm1: the primary, version 1
    monolith  barker   //barker(3)     0%  5%, sticky header:x-user, waiting       waits: no registered instance matches the target
    *         emitter  //emitter     100%  -                                       vm1: the primary, without a version
  `);
});

test("route list fits a narrow terminal and keeps what matters", async () => {
  const { stdout } = await run("route list", { answers: answersOf(world()), width: 60 });
  for (const line of stdout.trimEnd().split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  expect(stdout).toContain("monolith  barker   //barker(2)    10%");
});

test("route list uses colours only where they are wanted", async () => {
  const { stdout } = await run("route list", { answers: answersOf(world()), colour: true });
  expect(stdout).toContain("\u001b[33m0%\u001b[39m");
});

test("route list --json prints the stored routes", async () => {
  const { stdout } = await run("route list --json", { answers: answersOf(world()) });
  expect(JSON.parse(stdout)).toEqual([
    {
      caller: "monolith",
      service: "barker",
      target: "//barker(2)",
      percent: 10,
      status: "active",
      reading: "caller",
      when: null,
      sticky: "header:x-user",
      expires: "2026-11-20T13:59:50.000Z",
    },
    {
      caller: "monolith",
      service: "barker",
      target: "//barker(3)",
      percent: 5,
      status: "waiting",
      reading: "caller",
      when: null,
      sticky: "header:x-user",
      expires: null,
    },
  ]);
});

test("route list shows a route whose service is not known yet", async () => {
  const table = world();
  table.apply({ ...emptyChange(), tables: [routes("worker", "barker.new", [["//barker.new(2)", 1_000]])] });
  const { stdout } = await run("route list", { answers: answersOf(table) });
  expect(stdout).toMatch(/^worker +barker.new +\/\/barker.new\(2\) +0% +10%, waiting +waits: no registered instance/m);
  const followed = await run("route list -f", {
    answers: answersOf(world()),
    states: states({ tables: [routes("worker", "barker.new", [["//barker.new(2)", 1_000]])] }),
  });
  expect(followed.stdout).toMatch(/^\+ +worker +barker.new +/m);
});

test("route list says of a target why it gets nothing: whatever lives of it may be another target's", async () => {
  const table = world();
  const of = (target: string) => [routes("monolith", "barker", [[target, 1_000], ...narrower(target)])];
  const narrower = (target: string): [string, number][] => (target === "//barker(2)" ? [["//barker(2.0)", 500]] : []);
  const detail = async (target: string): Promise<string | undefined> => {
    table.apply({ ...emptyChange(), tables: of(target) });
    const { stdout } = await run("route list", { answers: answersOf(table), width: 200 });
    return stdout.split("\n").find((line) => line.includes(` ${target} `));
  };
  // vm3 has version 2.0, and vm2, which has 1.1, is down.
  for (const target of ["//barker(2)", "//barker(1.1)"]) {
    expect(await detail(target)).toMatch(/ 0% +10% +no live instance is left for it: its share goes to the primary$/);
  }
});

test("route list says that there is nothing yet", async () => {
  const answers = { "GET /v1/routes": { routes: [] }, "GET /v1/distributions": { distributions: [] } };
  expect(await run("route list", { answers })).toMatchObject({
    code: 0,
    stdout: "",
    stderr: "note: the directory knows no service yet\n",
  });
});

/** The states of a table that goes through some changes. */
function states(...changes: Partial<TableChange>[]) {
  const table: Catalog = world();
  let revision = 7;
  const first = () => ({
    table,
    update: { services: new Set(table.serviceNames()), position: { epoch: "e", revision }, atMs: null, routes: true },
  });
  return [
    first,
    ...changes.map((change) => () => {
      const services = table.apply({ ...emptyChange(), ...change });
      revision += 1;
      return { table, update: { services, position: { epoch: "e", revision }, atMs: 0, routes: true } };
    }),
  ];
}

test("route list -f prints all, then what changes, with a mark", async () => {
  const { code, stdout } = await run("route list -f", {
    answers: answersOf(world()),
    states: states(
      { tables: [routes("monolith", "barker", [["//barker(2)", 2_000]], "header:x-user")] },
      {},
      { instances: [instance("barker@vm2(1.1)", { order: 1 })] },
    ),
  });
  expect(code).toBe(0);
  const [, ...changes] = stdout.split(/^2026-11-20T12:00:00.000Z\n/m);
  expect(changes).toEqual([
    text`
         CALLER    SERVICE  TARGET       SHARE  ROUTE                              INSTANCES
      ~  monolith  barker   //barker(2)    20%  20%, sticky header:x-user          vm3: a route for monolith
      ~  monolith  barker   //barker       80%  -                                  vm1: the primary, version 1
      -  monolith  barker   //barker(3)     0%  5%, sticky header:x-user, waiting  waits: no registered instance matches the target
    `,
    text`
         CALLER    SERVICE  TARGET    SHARE  ROUTE  INSTANCES
      ~  *         barker   //barker   100%  -      2 instances: the primary, version 1
      ~  monolith  barker   //barker    80%  -      2 instances: the primary, version 1
    `,
  ]);
});

test("route list -f shows each caller what it gets in its zone", async () => {
  const near = [
    instance("barker@vm1(1.0)", { order: 0, zone: "a" }),
    instance("barker@vm2(1.1)", { order: 1, zone: "b" }),
  ];
  const callers = ["monolith", "worker", "worker"].map((name, i) => callerOf(name, ["a", "a", "b"][i]));
  const { stdout } = await run("route list -f", {
    answers: { ...answersOf(world()), "GET /v1/callers": { callers } },
    states: states({ instances: near, tables: [routes("worker", "barker", [["//barker(3)", 0]])] }),
  });
  expect(stdout).toMatch(/^~ +\* +barker +\/\/barker +100% +- +2 instances: the primary/m);
  expect(stdout).toMatch(/^\+ +worker +barker +\/\/barker +100% +- +2 instances: the primary/m);
  expect(stdout).not.toMatch(/monolith +barker +\/\/barker +.*2 instances/);
});

test("route list -f --json prints one document a line for each change of the stored routes", async () => {
  const { stdout } = await run("route list -f --json", {
    answers: answersOf(world()),
    states: states(
      { instances: [instance("barker@vm9(1.1)", { order: 9 })] },
      { tables: [routes("*", "barker", [["//barker(2)", 2_000]])] },
    ),
  });
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { caller: string; target: string }[]);
  expect(lines.map((list) => list.map(({ caller, target }) => `${caller} ${target}`))).toEqual([
    ["monolith //barker(2)", "monolith //barker(3)"],
    ["* //barker(2)", "monolith //barker(2)", "monolith //barker(3)"],
  ]);
});

test("route list of one service asks for no other", async () => {
  const shown = answersOf(world());
  const { distributions } = shown["GET /v1/distributions"] as { distributions: { service: string }[] };
  const one = (name: string) => ({
    ...(shown["GET /v1/services/barker"] as object),
    distributions: distributions.filter(({ service }) => service === name),
  });
  const answers = {
    "GET /v1/routes": shown["GET /v1/routes"],
    "GET /v1/services/barker": one("barker"),
    "GET /v1/services/emitter": one("emitter"),
  };
  const { stdout, stderr } = await run("route list //barker", { answers });
  expect(stderr).toBe("");
  expect(stdout).toContain("monolith  barker   //barker(2)    10%");
  expect(stdout).not.toContain("emitter");
  expect((await run("route list emitter", { answers })).stdout).toMatch(/^\* +emitter +\/\/emitter +100%/m);
  expect(JSON.parse((await run("route list emitter --json", { answers })).stdout)).toEqual([]);
  expect(JSON.parse((await run("route list barker --json", { answers })).stdout)).toHaveLength(2);
});
