import { describe, expect, test } from "vitest";
import {
  agreeingState,
  blocksOf,
  parseDescription,
  parseMap,
  parseReload,
  parseServersState,
  parseSessions,
  parseShowProc,
} from "./answers.ts";
import type { BlockLine } from "../model/block-lines.ts";
import type { PlannedServer } from "../model/plan.ts";
import { CounterDeltas } from "./counters.ts";
import { parseStat } from "./statistics.ts";

test("parseServersState() reads servers of services, and which take requests", () => {
  const answer = [
    "1",
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_port",
    "4 s:v1 1 vm1:80 10.0.0.1 2 0 100 100 80",
    "4 s:v1 2 vm2:80 10.0.0.2 0 1 50 100 80",
    "4 s:v1 3 FB.s:v1 - 2 0 1 1 0",
    "5 pages 1 sherlock - 2 0 1 1 0",
    "",
  ].join("\n");
  expect(parseServersState(answer)).toEqual(
    new Map([
      [
        "s:v1",
        new Map([
          ["vm1:80", { address: "10.0.0.1", port: 80, weight: 100, ready: true, id: 1 }],
          ["vm2:80", { address: "10.0.0.2", port: 80, weight: 50, ready: false, id: 2 }],
        ]),
      ],
    ]),
  );
});

test("agreeingState() leaves out what the plan has otherwise, and what it does not have", () => {
  const row = (name: string, { state = 0, weight = 100 } = {}): string =>
    `4 s:v1 1 ${name}:80 10.0.0.1 2 ${state} ${weight} 100 80`;
  const head =
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_port";
  const own = "5 pages 1 sherlock - 2 0 1 1 0";
  const rows = [row("same"), row("out", { state: 1 }), row("heavy", { weight: 7 }), row("gone"), own, ""];
  const server = (name: string) =>
    [`${name}:80`, { address: "10.0.0.1", port: 80, weight: 100, ready: true } as PlannedServer] as const;
  const planned = new Map([["s:v1", new Map([server("same"), server("out"), server("heavy")])]]);
  expect(agreeingState([head, ...rows].join("\n"), planned)).toBe([head, row("same"), own, ""].join("\n"));
  // A spare backend of the old worker is one with its own name in the new one.
  const inSpare = [head, ...rows].join("\n").replaceAll(" s:v1 ", " spare-x-1 ");
  const named = (name: string): string => (name === "spare-x-1" ? "s:v1" : name);
  expect(agreeingState(inSpare, planned, named)).toBe([head, row("same"), own, ""].join("\n"));
});

test("parseMap() keeps blanks in values", () => {
  expect(parseMap("0x55aa known vm1 is down, status 503\n0x55ab k v\n\n")).toEqual(
    new Map([
      ["known", "vm1 is down, status 503"],
      ["k", "v"],
    ]),
  );
});

test("blocksOf() puts lines of a broken switch into the block in use, so that they are removed", () => {
  const lines: BlockLine[] = [
    { map: "draw", key: "0.0.0.0/18", value: "old" },
    { map: "draw", key: "0.0.64.0/18", value: "new" },
    { map: "sticky", key: "16384", value: "h:x" },
    { map: "when_path", key: "0/s/x", value: "old" },
  ];
  const named = new Map(lines.map((line) => [`${line.map} ${line.key}`, line]));
  expect(blocksOf(lines, [16_384])).toEqual(new Map([[0, { half: 1, lines: named, block: null }]]));
});

test("parseShowProc() reads a master's workers and failed reloads", () => {
  const answer = [
    "#<PID> <type> <reloads> <uptime> <version>",
    "100             master          3 [failed: 1]   0d00h00m07s     2.6.12",
    "# workers",
    "103             worker          0               0d00h00m00s     2.6.12",
    "# old workers",
    "101             worker          2               0d00h00m43s     2.6.12",
    "# programs",
  ].join("\n");
  expect(parseShowProc(answer)).toEqual({ pid: 100, workers: [103], oldWorkers: [101], reloads: 3, failed: 1 });
  expect(parseShowProc("100   master   0   3   0d00h00m07s   2.4.22\n")).toMatchObject({ reloads: 3, failed: 0 });
  expect(parseShowProc("100   master   3   0d00h00m07s   2.5.14\n")).toMatchObject({ reloads: 3, failed: 0 });
  expect(parseShowProc("")).toBeNull();
});

test("parseDescription() finds the generation", () => {
  expect(parseDescription("Name: HAProxy\ndescription: sherlock g1\n")).toBe("sherlock g1");
});

describe("CounterDeltas", () => {
  const header = "# pxname,svname,stot,econ,eresp,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,type,ttime,ttime_max";
  const stat = (requests: number, good: number): ReturnType<typeof parseStat> =>
    parseStat(`${header}\ns:v1,vm1:80,${requests},1,0,0,${good},0,0,0,2,3,9\ns:v1,BACKEND,9,0,0,0,9,0,0,0,1,0,0\n`);
  const attribute = () => ({ instances: [{ name: "vm1", version: "1.4" }] });

  test("gives what came since the last look, also over a worker that began anew", () => {
    const deltas = new CounterDeltas();
    expect(deltas.take(stat(10, 9), attribute)).toEqual([
      {
        service: "s",
        version: "1.4",
        instance: "vm1",
        requests: 10,
        responses: [0, 9, 0, 0, 0],
        failures: 1,
        latencyMs: { average: 3, max: 9 },
      },
    ]);
    expect(deltas.take(stat(10, 9), attribute)).toEqual([]);
    expect(deltas.take(stat(14, 13), attribute)[0]).toMatchObject({
      requests: 4,
      responses: [0, 4, 0, 0, 0],
      failures: 0,
    });
    expect(deltas.take(stat(2, 2), attribute)[0]).toMatchObject({ requests: 2, responses: [0, 2, 0, 0, 0] });
  });

  test("has the latencies of each server, also of requests that were counted before", () => {
    const deltas = new CounterDeltas();
    const latencies = new Map([
      ["s:v1/vm1:80", [3, 1]],
      ["s:v1/nobody:80", [5, 1]],
    ]);
    expect(deltas.take(stat(10, 9), attribute, latencies)).toMatchObject([{ requests: 10, latencies: [3, 1] }]);
    expect(deltas.take(stat(10, 10), attribute, latencies)).toMatchObject([{ requests: 0, latencies: [3, 1] }]);
    expect(deltas.take(stat(11, 11), attribute)[0]).not.toHaveProperty("latencies");
  });
});

test("parseSessions() says which server each has", () => {
  const answer =
    "0x5624facbd4c0: proto=tcpv4 src=127.0.0.1:52614 fe=http_in be=s:v1 srv=127.0.0.1:37343 ts=00 epoch=0\n" +
    "0x5624fadb0600: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0\n\n";
  expect(parseSessions(answer)).toEqual([
    { id: "0x5624facbd4c0", server: "s:v1/127.0.0.1:37343" },
    { id: "0x5624fadb0600", server: "<NONE>/<none>" },
  ]);
});

test.each([
  ["", null],
  ["another reload is still in progress.\n", null],
  ["Success=1\n--\n[NOTICE] (7) : fine\n", { ok: true, alerts: "" }],
  ["Success=0\n--\n[ALERT] (7) : a\n[ALERT]    (7) : b\n", { ok: false, alerts: "a; b" }],
])("parseReload() reads %j", (answer, expected) => {
  expect(parseReload(answer)).toEqual(expected);
});
