import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connect, type ConnectionEvents, openCatalogFollower, runLink } from "@datawire/link";
import { LINK_VERSIONS, type TableChange } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import { type Chance, fuzz, mutateJson, mutateText } from "@datawire/protocol/testing/fuzz";
import { type Logger, noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import {
  blocksOf,
  parseDescription,
  parseMap,
  parseReload,
  parseServersState,
  parseShowProc,
} from "../core/observe/answers.ts";
import { entriesOf } from "../core/model/block-lines.ts";
import { CounterDeltas } from "../core/observe/counters.ts";
import { parseStat } from "../core/observe/statistics.ts";
import { commandText } from "../core/render/commands-text.ts";
import { mapFiles } from "../core/model/files.ts";
import { Latencies } from "../core/observe/latencies.ts";
import { BLOCK_MAPS, MAP_NAMES, type Plan } from "../core/model/plan.ts";
import { viewOf } from "../core/render/render.ts";
import { emptyMaps, type Running } from "../core/model/running.ts";
import { parseRefusedAnswer } from "../core/observe/show-errors.ts";
import { nextRound } from "../core/transition/transition.ts";
import { UNKNOWN_STRUCTURE } from "../haproxy/read-running.ts";
import { createRuntimeApi, RuntimeApiError } from "../haproxy/runtime-api.ts";
import { loadTemplate } from "../setup/template.ts";
import { hostsOf } from "../inputs/table-hosts.ts";
import { instance, routes, service } from "../testing/entities.ts";
import { INPUTS, plannerOf, SETTINGS } from "../testing/plans.ts";

const entities = {
  services: [
    service("barker", { settings: { defaultUrl: "http://h:1", balance: "least-connections" } }),
    service("db", { protocol: "tcp", proxyPort: 6_001 }),
    service("constructor"),
  ],
  instances: [
    instance("barker", "a"),
    instance("barker", "b", { version: "2.1", order: 1, url: "http://vm2/base" }),
    instance("db", "c", { protocol: "tcp", url: "tcp://vm3:5432", order: 2 }),
    instance("constructor", "d", { order: 3 }),
  ],
  tables: [
    routes("barker", { "//barker(2)": { share: 1_000, when: "header:x-canary=1" } }, { sticky: "header:x-user" }),
    routes("constructor", { "//barker": { share: 500, reading: "service" } }, { caller: "monolith" }),
  ],
};
const position = { epoch: "e", revision: 1 };
const MESSAGES: readonly object[] = [
  { type: "snapshot", ...position, part: 0, last: true, warming: false, ...entities },
  { type: "snapshot", ...position, part: 0, last: true, warming: true, ...entities, sectors: { of: 2, these: [1] } },
  {
    type: "delta",
    ...position,
    from: 1,
    revision: 2,
    atMs: 1,
    change: { ...entities, gone: { services: ["db"], instances: ["barker@a"], tables: ["*>barker"] } },
  },
  {
    type: "delta",
    ...position,
    from: 1,
    revision: 2,
    atMs: 1,
    change: { tables: entities.tables },
    hash: "0123456789abcdef",
  },
  { type: "warm" },
  { type: "error", code: "unsupported", message: "no such message", fatal: false },
  { type: "registered", seq: 1, refused: [] },
  { type: "draining", instances: ["barker@a"] },
];
const WELCOME = {
  type: "welcome",
  link: LINK_VERSIONS.max,
  directory: "//localhost/directory",
  version: "1",
  heartbeatMs: 5_000,
  leaseMs: 15_000,
};

test("whatever a directory says, the link, the table and the plan of it hold", async () => {
  const clock = createFakeClock();
  const errors: string[] = [];
  const log: Logger = {
    ...noLog,
    error: (message, fields) => void errors.push(`${message}: ${(fields?.["error"] as Error | undefined)?.stack}`),
  };
  const template = await loadTemplate(null);
  const connections: ConnectionEvents[] = [];
  const connect: Connect = (_, events) => {
    connections.push(events);
    return { send() {}, bufferedBytes: 0, close() {}, terminate() {} };
  };
  const planner = plannerOf({ stickyIp: true });
  const follower = await openCatalogFollower(
    { services: null, path: null },
    { clock, log, onUpdate: ({ services }) => planner.forget(services) },
  );
  const stop = new AbortController();
  const running = runLink(
    {
      replicas: [{ host: "localhost", port: 1, tls: false }],
      identity: { kind: "sherlock", name: "m", id: "12345678", version: "1" },
      token: null,
      tls: null,
      subscribe: follower.subscription,
    },
    { clock, log, random: () => 0, connect, handler: follower },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await clock.advance(60_000);
    await running;
    await follower.close();
  });
  const make = (chance: Chance): string[] => [
    chance.once(5) ? mutateJson(WELCOME, chance) : JSON.stringify(WELCOME),
    JSON.stringify(MESSAGES[0]),
    ...Array.from({ length: 1 + chance.int(3) }, () => mutateJson(chance.pick(MESSAGES), chance)),
  ];
  await fuzz({ test: 300, soak: 100_000 }, make, async (frames) => {
    await clock.advance(31_000); // the longest wait before a link is opened again
    const events = connections.at(-1);
    connections.length = 0;
    events?.opened();
    for (const frame of frames) events?.text(frame);
    hostsOf(follower.table, null);
    const plan = planner.plan(follower.table, INPUTS);
    const text = template.render(viewOf(plan, SETTINGS, "generation"));
    const files = [text, ...Object.values(mapFiles(plan))];
    for (const file of files) expect(file).not.toMatch(/^\s*server evil/m);
    for (const file of files) expect(file).not.toContain("\u0000");
    // A directory may say that it will have nobody; nothing that it says may fail here.
    expect(errors.filter((one) => !one.startsWith("Directory refuses"))).toEqual([]);
    events?.closed("the connection broke", false);
    await clock.advance(0);
  });
});

/** A plan for the commands that what HAProxy says leads to. */
function planOfAll(): Plan {
  const change = { ...entities, gone: { services: [], instances: [], tables: [] } };
  return plannerOf({ stickyIp: true }).plan(tableWith(change), INPUTS);
}

function tableWith(change: TableChange): Catalog {
  const table = new Catalog();
  table.apply(change);
  return table;
}

const ANSWERS: readonly string[] = [
  [
    "1",
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_port",
    "4 barker:v1:h1 1 127.0.0.1:8000 10.0.0.1 2 0 100 100 80",
    "4 barker:v2 2 vm2:80 10.0.0.2 0 1 50 100 80",
    "5 pages 1 sherlock - 2 0 1 1 0",
    "",
  ].join("\n"),
  "0x55aa barker barker:v1:h1\n0x55ab constructor 16384\n0x55ac __proto__ vm1 is down, status 503\n\n",
  "0x55aa 0.0.0.0/18 barker:v1\n0x55ab 0.0.64.0/18 nothing\n\n",
  [
    "# pxname,svname,qcur,scur,smax,stot,econ,eresp,status,lastchg,type,check_status,last_chk,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,ttime,ttime_max",
    'barker:v1,vm1:80,0,0,1,10,0,1,UP,3,2,,"a ""b"", c",0,9,0,1,0,5,9',
    "constructor:v1,__proto__,0,0,1,10,2,0,DOWN 1/2,3,2,* L4CON,refused,0,9,0,1,0,5,9",
    "",
  ].join("\n"),
  [
    "#<PID> <type> <reloads> <uptime> <version>",
    "100             master          3 [failed: 1]   0d00h00m07s     2.6.12",
    "# workers",
    "103             worker          0               0d00h00m00s     2.6.12",
    "# old workers",
    "101             worker          2               0d00h00m06s     2.6.12",
    "",
  ].join("\n"),
  "Success=1\n--\n[NOTICE]   (1) : New worker (2) forked\n",
  "Total events captured on [30/Nov/2026:00:00:00.000] : 1\n \n[30/Nov/2026:00:00:00.000] backend barker:v1 (#4): invalid response\n  frontend http_in (#2), server vm1:80 (#1), event #0, src 127.0.0.1:1\n  00000  HTTP/1.1 200 OK\\r\\n\n  00017+ \\x00\\t\n",
  'barker:v1 vm1:80 +12\nbarker:v1 vm1:80 7\n{"backend":"barker:v1","server":"vm1:80"}\n',
];

const BLOCK_LINES = ["draw", ...BLOCK_MAPS] as const;

/** Every reader of what HAProxy says, with what is then done of it. */
function readAll(answer: string, plan: Plan): void {
  const maps = emptyMaps();
  for (const name of MAP_NAMES) maps[name] = parseMap(answer);
  const running: Running = {
    loaded: UNKNOWN_STRUCTURE,
    maps,
    blocks: blocksOf(
      BLOCK_LINES.flatMap((map) => entriesOf(map, parseMap(answer))),
      [...parseMap(answer).values()].map(Number),
    ),
    servers: parseServersState(answer),
    carried: parseMap(answer),
  };
  const table = tableWith({ ...entities, gone: { services: [], instances: [], tables: [] } });
  const round = nextRound(running, plan, {
    shared: "s",
    dynamicServers: true,
    unusedBackendsMax: 100,
    isSettled: false,
    followed: null,
    interim: () => plannerOf({ stickyIp: true }).plan(table, INPUTS),
  });
  const carried = round.now.carried ?? new Map<string, string>();
  const context = {
    backends: plan.structure.backends,
    servers: plan.servers,
    maps: SETTINGS.maps,
    caFile: "@system-ca",
    carried,
  };
  for (const command of round.commands) {
    for (const text of commandText(command, context)) expect(text).not.toMatch(/[\r\n]/);
  }
  const deltas = new CounterDeltas();
  for (let i = 0; i < 2; i++) deltas.take(parseStat(answer), () => ({ instances: [{ name: "a", version: null }] }));
  parseShowProc(answer);
  parseReload(answer);
  parseDescription(answer);
  parseRefusedAnswer(answer);
  const latencies = new Latencies(1);
  latencies.add(answer);
  latencies.take();
}

test("whatever HAProxy answers, its readers read it, and no command leads out of its line", async () => {
  const plan = planOfAll();
  const make = (chance: Chance): string => mutateText(chance.pick(ANSWERS), chance);
  await fuzz({ test: 400, soak: 200_000 }, make, (answer) => readAll(answer, plan));
});

test("whatever comes over the runtime socket, a question is answered or refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sherlock-fuzz-"));
  const path = join(folder, "s");
  let answer: { readonly text: string; readonly isCut: boolean } = { text: "", isCut: false };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => (answer.isCut ? socket.destroy() : socket.end(answer.text)));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  const runtime = createRuntimeApi(path);
  const make = (chance: Chance) => ({
    text: mutateText(chance.pick([...ANSWERS, "[2]: No such server.\n", ""]), chance),
    isCut: chance.once(10),
  });
  await fuzz({ test: 100, soak: 20_000 }, make, async (next) => {
    answer = next;
    const refused = (error: unknown): void => expect(error).toBeInstanceOf(RuntimeApiError);
    await runtime.ask("show stat").then((text) => expect(typeof text).toBe("string"), refused);
    await runtime.run(["set server a/b state ready"]).catch(refused);
  });
});
