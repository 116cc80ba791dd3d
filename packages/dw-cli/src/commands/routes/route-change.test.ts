import { explain, listRoutes } from "@datawire/routing";
import { expect, test } from "vitest";
import { refusal, run, text } from "../../testing/run.ts";
import { world } from "../../testing/world.ts";

const table = world();
const changed = {
  epoch: "e",
  revision: 8,
  routes: [...table.routeTables()].flatMap((one) => listRoutes(table, one)).filter(({ percent }) => percent === 10),
  notes: ["monolith is taken as a caller"],
  distribution: explain(table, "barker", { caller: "monolith", zone: null }),
  changed: true,
};

test("route add asks for the route and prints the shares that result", async () => {
  const result = await run("route add //monolith '//barker(2)' 10%", { answers: { "POST /v1/routes": changed } });
  expect(result).toMatchObject({ code: 0, stderr: "note: monolith is taken as a caller\n" });
  expect(result.asked).toEqual([
    'POST /v1/routes {"source":"//monolith","target":"//barker(2)","percent":"10%","ahead":false,"dryRun":false}',
  ]);
  expect(result.stdout).toBe(text`
    CALLER    SERVICE  TARGET       SHARE  ROUTE                                   INSTANCES
    monolith  barker   //barker(2)    10%  10%, sticky header:x-user, 1h 59m left  vm3: a route for monolith
    monolith  barker   //barker       90%  -                                       vm1: the primary, version 1
  `);
});

test.each([
  ["--caller --ahead --dry-run", { reading: "caller", ahead: true, dryRun: true }],
  ["--service", { reading: "service" }],
  [
    "--when header:X-Canary=1 --sticky cookie:user --for 2h",
    { when: "header:X-Canary=1", sticky: "cookie:user", for: "2h" },
  ],
  ["--no-when --no-sticky --no-for", { when: null, sticky: null, for: null }],
])("route add passes %s on", async (options, expected) => {
  const { asked } = await run(`route add //* //barker:2 0% ${options}`, { answers: { "POST /v1/routes": changed } });
  const body = JSON.parse(asked[0]?.replace("POST /v1/routes ", "") ?? "") as unknown;
  expect(body).toEqual({
    source: "//*",
    target: "//barker:2",
    percent: "0%",
    ahead: false,
    dryRun: false,
    ...expected,
  });
});

test("route add needs no percentage where an option says what changes", async () => {
  const answers = { "POST /v1/routes": changed };
  for (const option of ["--when path:/beta", "--no-when", "--sticky cookie:u", "--no-sticky", "--for 2h", "--no-for"]) {
    expect(await run(`route add //a //b:2 ${option}`, { answers })).toMatchObject({ code: 0 });
  }
  expect(await run("route add //a //b:2", { answers })).toMatchObject({
    code: 64,
    stderr: "dw: Cannot add the route: there is no percentage; wanted one such as 10%, or --when\n",
  });
});

test.each([
  ["--when head:x=1", 'Cannot use "head:x=1" as --when: wanted header:NAME=VALUE'],
  ["--sticky user", 'Cannot use "user" as --sticky: wanted header:NAME'],
  ["--for soon", 'Cannot use "soon" as a duration: wanted a duration such as 500ms'],
  ["--caller --service", "Cannot use --caller and --service together"],
])("route add refuses %s before it asks", async (options, message) => {
  const { code, stderr, asked } = await run(`route add //a //b:2 1% ${options}`);
  expect({ code, asked }).toEqual({ code: 64, asked: [] });
  expect(stderr).toContain(message);
});

test("route add --dry-run and a change of nothing say so", async () => {
  const same = { ...changed, changed: false, notes: [] };
  const dry = await run("route add //monolith //barker:2 10% --dry-run", { answers: { "POST /v1/routes": same } });
  expect(dry.stdout).toMatch(/^Nothing is changed; it would be:\nCALLER/);
  const again = await run("route add //monolith //barker:2 10%", { answers: { "POST /v1/routes": same } });
  expect(again.stdout).toMatch(/^Nothing to change; it is:\nCALLER/);
});

test("route add shows a share of a service that is not registered yet", async () => {
  const ahead = { ...changed.routes[0], caller: "*", service: "new", target: "//barker", reading: "service" };
  const answer = { ...changed, notes: [], routes: [ahead], distribution: null };
  const { stdout } = await run("route add //new //barker 10% --service", { answers: { "POST /v1/routes": answer } });
  expect(stdout).toMatch(/waits: no service new is registered$/m);
});

test("route add shows a route that is ahead of its service", async () => {
  const waiting = { ...changed.routes[0], caller: "a", service: "new", target: "//new(2)", status: "waiting" };
  const answer = { ...changed, notes: [], routes: [waiting], distribution: null };
  const { stdout } = await run("route add //a //new:2 10% --ahead", { answers: { "POST /v1/routes": answer } });
  expect(stdout).toMatch(/^a +new +\/\/new\(2\) +0% +10%, .*waiting/m);
});

test("route add --json prints the answer", async () => {
  const { stdout, stderr } = await run("route add //a //b:2 1% --json", { answers: { "POST /v1/routes": changed } });
  expect(JSON.parse(stdout)).toEqual(changed);
  expect(stderr).toBe("");
});

test("route add shows a refusal", async () => {
  const answers = { "POST /v1/routes": refusal("conflict", "Cannot allot 110% of the requests to barker") };
  expect(await run("route add //a //b:2 1%", { answers })).toMatchObject({
    code: 1,
    stderr: "dw: Cannot allot 110% of the requests to barker\n",
  });
});

test("route remove and route set ask for their change", async () => {
  const removed = await run("route remove //monolith //barker:2 --dry-run", {
    answers: { "DELETE /v1/routes": changed },
  });
  expect(removed.asked).toEqual(['DELETE /v1/routes {"source":"//monolith","target":"//barker:2","dryRun":true}']);
  const set = await run("route set //monolith '//barker(2)=10%' //barker@vm1=2.5", {
    answers: { "PUT /v1/routes": changed },
  });
  expect(set.asked).toEqual([
    'PUT /v1/routes {"source":"//monolith","targets":[{"target":"//barker(2)","percent":"10%"},{"target":"//barker@vm1","percent":"2.5"}],"ahead":false,"dryRun":false}',
  ]);
});

test.each([
  ["//Monolith", 'Cannot use "Monolith" as a caller or service name'],
  ["'//monolith(2)'", 'Cannot use "//monolith(2)" as SOURCE: wanted a caller or a service'],
])("route commands say what SOURCE %s should have been", async (source, message) => {
  for (const line of [`add ${source} //b:2 1%`, `remove ${source} //b:2`, `set ${source} //b:2=1%`]) {
    const { code, stderr, asked } = await run(`route ${line}`);
    expect({ code, asked }).toEqual({ code: 64, asked: [] });
    expect(stderr).toContain(message);
  }
});

test.each(["//barker(2)", "//barker(2)=", "//barker(2)=x", "=10%"])("route set refuses %s", async (share) => {
  expect(await run(`route set //monolith ${share}`)).toMatchObject({ code: 64, asked: [] });
});

test("route undo says what it takes back", async () => {
  const answers = {
    "POST /v1/routes/undo": { action: "undo", undone: "route add //a //b(2) 10%", notes: [], changed: true },
  };
  expect(await run("route undo", { answers })).toMatchObject({ code: 0, stdout: "Undone: route add //a //b(2) 10%\n" });
  const dry = await run("route undo --dry-run", { answers });
  expect(dry).toMatchObject({ stdout: "Would undo: route add //a //b(2) 10%\n" });
  expect(dry.asked).toEqual(['POST /v1/routes/undo {"dryRun":true}']);
});

test("route undo says when nothing had to be taken back", async () => {
  const notes = ["nothing had to be taken back: the time of //b(2) was over"];
  const undone = "route add //a //b(2) 10% --for 2h";
  const answers = { "POST /v1/routes/undo": { action: "undo", undone, notes, changed: false } };
  expect(await run("route undo", { answers })).toMatchObject({
    code: 0,
    stdout: `Undone, with nothing to take back: ${undone}\n`,
    stderr: `note: ${notes[0]}\n`,
  });
});

test("route history prints who changed what", async () => {
  const entry = { id: 1, at: "2026-11-20T11:00:00.000Z", who: "ann@desk", verified: false, undone: false };
  const history = [
    { ...entry, action: "route add //a //b(2) 10%" },
    { ...entry, action: "service add //b", verified: true, undone: true },
  ];
  const answers = { "GET /v1/routes/history?limit=20": { history }, "GET /v1/routes/history?limit=1": { history: [] } };
  expect((await run("route history", { answers })).stdout).toBe(text`
    WHEN                      WHO                    CHANGE
    2026-11-20T11:00:00.000Z  ann@desk (unverified)  route add //a //b(2) 10%
    2026-11-20T11:00:00.000Z  ann@desk               service add //b (undone)
  `);
  expect(JSON.parse((await run("route history --json", { answers })).stdout)).toEqual(history);
  expect(await run("route history --limit 1", { answers })).toMatchObject({
    stderr: "note: no route was ever changed\n",
  });
  expect(await run("route history --limit 0", { answers })).toMatchObject({ code: 64 });
});
