import type { Answer } from "@datawire/api";
import { Unreachable } from "@datawire/link/client";
import { expect, test } from "vitest";
import { run } from "../../testing/run.ts";
import { FakeScreen } from "../../testing/screen.ts";
import { answersOf, world } from "../../testing/world.ts";

type Line = Answer<"counters">["counters"][number];

const line = (caller: string, version: string | null, instance: string | null, requests: number): Line => ({
  caller,
  service: "barker",
  version,
  instance,
  requests,
  responses: [0, requests, 0, 0, 0],
  failures: 0,
  latencyMs: { average: 2, max: 30 },
  latencies: [],
});

const counters: Answer<"counters"> = {
  from: "2026-11-20T11:59:45.000Z",
  until: "2026-11-20T12:00:00.000Z",
  counters: [
    { ...line("monolith", "1.0", "vm1", 1_350), latencies: [0, 800, 3, 500, 28, 50] },
    {
      ...line("monolith", "2.0", "vm3", 150),
      responses: [0, 147, 0, 0, 3],
      latencyMs: { average: 12, max: 80 },
      latencies: [8, 147, 72, 3],
    },
    line("other", "1.0", "vm1", 1_500),
    line("other", null, null, 1),
  ],
};
const answers = { ...answersOf(world()), "GET /v1/counters?seconds=15": counters };

test("top --once prints every service with its versions, callers and instances", async () => {
  const { code, stdout } = await run("top --once", { answers });
  expect({ code, stdout }).toMatchInlineSnapshot(`
    {
      "code": 0,
      "stdout": "From 2026-11-20T11:59:45.000Z until 2026-11-20T12:00:00.000Z
    SERVICE    STATUS  LIVE  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
    //barker   live     2/3    200    0.1%     2.5      29      80
    //emitter  live     1/1      0       -       -       -       -

    //barker by version
      VERSION  LIVE  SHARE     GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      (none)    0/0     0%   0.03%    0.1      0%     2.0       -      30
      1.0       1/1   100%  94.97%    190      0%     2.0      29      30
      1.1       0/1     0%      0%      0       -       -       -       -
      2.0       1/1     0%      5%     10      2%      12      76      80

    //barker by caller
      CALLER    VERSION  SHARE     GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      monolith  1.0        90%     90%     90      0%     2.0      29      30
      monolith  1.1         0%      0%      0       -       -       -       -
      monolith  2.0        10%     10%     10      2%      12      76      80
      other     (none)      0%   0.07%    0.1      0%     2.0       -      30
      other     1.0       100%  99.93%    100      0%     2.0       -      30
      other     1.1         0%      0%      0       -       -       -       -
      other     2.0         0%      0%      0       -       -       -       -

    //barker version (none) by instance
      INSTANCE       STATE    SHARE    GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      (default URL)  default      -  0.03%    0.1      0%     2.0       -      30

    //barker version 1.0 by instance
      INSTANCE  STATE  SHARE     GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      vm1       live    100%  94.97%    190      0%     2.0      29      30

    //barker version 1.1 by instance
      INSTANCE  STATE  SHARE  GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      vm2       down      0%   0%      0       -       -       -       -

    //barker version 2.0 by instance
      INSTANCE  STATE  SHARE  GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      vm3       live      0%   5%     10      2%      12      76      80

    //emitter by version
      VERSION  LIVE  SHARE  GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      (none)    1/1   100%    -      0       -       -       -       -

    //emitter version (none) by instance
      INSTANCE  STATE  SHARE  GOT  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
      vm1       live    100%    -      0       -       -       -       -
    ",
    }
  `);
});

/** Sixty services, of which one is down, one has errors, and one has sixty callers of three versions. */
function crowd(): Record<string, unknown> {
  const { "GET /v1/services": listed } = answers as unknown as Record<string, { services: object[] }>;
  const names = Array.from({ length: 60 }, (_, i) => `s${i}`);
  const [sample] = listed?.services ?? [];
  return {
    ...answers,
    "GET /v1/services": {
      services: names.map((service) => ({ ...sample, service, status: service === "s40" ? "down" : "live" })),
    },
    "GET /v1/counters?seconds=15": {
      ...counters,
      counters: [
        { ...line("monolith", "1.0", "vm1", 150), service: "s50", responses: [0, 140, 0, 0, 10] },
        ...names.map((name) => ({ ...line(`caller-${name}`, "1.0", "vm1", 1_500), service: "s55" })),
      ],
    },
  };
}

test("top --once keeps to what is worst where somebody looks on and there are hundreds, and says how to see all", async () => {
  const { stdout } = await run("top --once", { answers: crowd(), width: 100 });
  expect(stdout.match(/^\/\/s\d+ +(live|down) /gm)).toHaveLength(25);
  const first = [...stdout.matchAll(/^\/\/(s\d+) +(?:live|down) /gm)].slice(0, 4).map(([, name]) => name);
  expect(first).toEqual(["s40", "s50", "s55", "s0"]);
  expect(stdout).toContain("\nand 35 services more: `dw top --once | less` has all\n");
  expect(stdout.match(/^\/\/s\d+ by version$/gm)).toHaveLength(25);
  expect(stdout.match(/^ +caller-s\d+ /gm)).toHaveLength(25);
  expect(stdout).toContain("\n  and 155 more: `dw top --once | less` has all\n");
});

test("top --once prints all of them to a pipe", async () => {
  const { stdout } = await run("top --once", { answers: crowd() });
  expect(stdout.match(/^\/\/s\d+ by version$/gm)).toHaveLength(60);
  expect(stdout.match(/^ +caller-s\d+ /gm)).toHaveLength(180);
  expect(stdout).not.toContain("more:");
});

test("top --json is for scripts", async () => {
  const { stdout } = await run("top --json", { answers });
  const { services } = JSON.parse(stdout) as { services: { service: string; rates: unknown }[] };
  expect(services[0]?.rates).toEqual({
    requestsPerSecond: 3_001 / 15,
    errorsPerSecond: 3 / 15,
    errorPercent: (3 / 3_001) * 100,
    averageMs: (1_350 * 2 + 150 * 12 + 1_500 * 2 + 2) / 3_001,
    maxMs: 80,
    p50Ms: 0,
    p90Ms: 8,
    p99Ms: 28.5,
  });
});

test("top says how to have percentiles where no Sherlock looks, or an older directory passes none on", async () => {
  const without = counters.counters.map((one) => ({ ...one, latencies: undefined }));
  const old = { ...answers, "GET /v1/counters?seconds=15": { ...counters, counters: without } };
  const { stdout } = await run("top --once", { answers: old });
  expect(stdout.split("\n").slice(1, 4)).toEqual([
    "P99 wants `percentiles: on` in sherlock.yaml, or a share of requests such as 10%",
    "SERVICE    STATUS  LIVE  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS",
    "//barker   live     2/3    200    0.1%     2.5       -      80",
  ]);
  const screen = new FakeScreen({}, () => screen.press("quit"));
  await run("top", { answers: old, screen });
  expect(screen.lines[2]).toBe("P99 wants `percentiles: on` in sherlock.yaml, or a share of requests such as 10%");
  const none = { ...answers, "GET /v1/counters?seconds=15": { ...counters, counters: [] } };
  expect((await run("top --once", { answers: none })).stdout).not.toContain("percentiles");
});

test("top fills 80x24, and gives the screen back", async () => {
  const screen = new FakeScreen({}, () => screen.press("quit"));
  expect(await run("top", { answers, screen })).toMatchObject({ code: 0, stdout: "" });
  expect(screen.isOpen).toBe(false);
  expect(screen.lines).toHaveLength(24);
  expect(Math.max(...screen.lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(screen.lines.slice(0, 6).join("\n")).toMatchInlineSnapshot(`
    "dw top  //localhost/directory  all services
    2 services, 200 requests/s, 0.1% errors; 15 s until 12:00:00Z

       SERVICE    STATUS  LIVE  REQ/S  ERRORS  AVG MS  P99 MS  MAX MS
    >  //barker   live     2/3    200    0.1%     2.5      29      80
       //emitter  live     1/1      0       -       -       -       -"
  `);
});

test("top drills down to callers, versions and instances, and back to where it was", async () => {
  const titles: (string | undefined)[] = [];
  const screen = new FakeScreen({}, () => {
    for (const key of [
      "down",
      "up",
      "enter",
      "callers",
      "callers",
      "down",
      "enter",
      "enter",
      "back",
      "back",
    ] as const) {
      screen.press(key);
      titles.push(`${screen.lines[0]?.slice(31)} ${screen.lines.find((one) => one.startsWith(">"))?.split(/ +/)[1]}`);
    }
    screen.press("quit");
  });
  await run("top", { answers, screen });
  expect(titles).toEqual([
    "all services //emitter",
    "all services //barker",
    "//barker by version (none)",
    "//barker by caller monolith",
    "//barker by version (none)",
    "//barker by version 1.0",
    "//barker version 1.0 by instance vm1",
    "//barker version 1.0 by instance vm1",
    "//barker by version 1.0",
    "all services //barker",
  ]);
});

test("top shows the busiest first when asked to", async () => {
  const screen = new FakeScreen({}, () => {
    screen.press("enter", "order");
    screen.press("quit");
  });
  await run("top", { answers, screen });
  expect(screen.lines.slice(4, 8).map((one) => one.split(/ +/)[1])).toEqual(["1.0", "2.0", "(none)", "1.1"]);
});

test("top keeps the selected line in view", async () => {
  const screen = new FakeScreen({ height: 8 }, () => screen.press("down", "quit"));
  await run("top", { answers, screen });
  expect(screen.lines).toHaveLength(8);
  expect(screen.lines[1]).toContain("2 to 2 of 2");
  expect(screen.lines[4]).toContain("//emitter");
});

test("top goes on while the directory does not answer, and says so", async () => {
  const lost: Record<string, unknown> = { ...answers };
  let looks = 0;
  const screen = new FakeScreen({}, () => {
    looks += 1;
    lost["GET /v1/counters?seconds=15"] = new Unreachable([{ address: "//a/directory", reason: "timed out" }]);
    if (looks === 2) screen.press("quit");
  });
  await run("top", { answers: lost, screen });
  expect(screen.lines[1]).toContain("timed out; this is of 12:00:00Z");
  expect(screen.lines[4]).toContain("//barker");
});

test("top ends with 69 when no directory answers, and leaves the screen alone", async () => {
  const unreachable = new Unreachable([{ address: "//a/directory", reason: "timed out" }]);
  const screen = new FakeScreen({}, () => {});
  const down = { ...answers, "GET /v1/services": unreachable };
  expect(await run("top", { answers: down, screen })).toMatchObject({ code: 69, stdout: "" });
  expect(screen.lines).toEqual([]);
});

test("top of one service asks for no other", async () => {
  const { "GET /v1/services/barker": shown, "GET /v1/counters?seconds=15": counted } = answers as Record<
    string,
    unknown
  >;
  const own = { "GET /v1/services/barker": shown, "GET /v1/counters?seconds=15": counted };
  const { code, stdout } = await run("top //barker --once", { answers: own });
  expect(code).toBe(0);
  expect(stdout).toContain("//barker by version");
  expect(stdout).not.toContain("emitter");
});
