import type { LinkHandler, LinkSession } from "@datawire/link";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { beforeEach, describe, expect, test } from "vitest";
import type { Plan } from "../core/model/plan.ts";
import { BackendNames } from "../haproxy/backend-names.ts";
import type { Metrics } from "./metrics.ts";
import { Reporter } from "./reporter.ts";
import { runtimeOf } from "../testing/runtime.ts";

const FOLLOWER: LinkHandler = { connected() {}, disconnected() {}, message() {} };

let clock: FakeClock;
let board: ProblemBoard;
let sent: unknown[];
let followedMs: number[];
let reporter: Reporter;
let link: LinkHandler;
let planning: { current: Plan | null; position: ReturnType<typeof at> | null; serverOf: () => null };
/** What HAProxy answers of its servers. */
let answer: Promise<string>;
let looks = 0;
const session = { send: (message: unknown) => sent.push(message) > 0 } as unknown as LinkSession;

beforeEach(() => {
  clock = createFakeClock();
  sent = [];
  followedMs = [];
  board = new ProblemBoard();
  answer = Promise.resolve("");
  planning = { current: {} as Plan, position: at(7), serverOf: () => null };
  reporter = new Reporter({
    settings: { name: "monolith", zone: null },
    clock,
    log: noLog,
    metrics: { followed: (ms) => followedMs.push(ms), traffic() {} } as Partial<Metrics> as Metrics,
    planning,
    // Its frontends have counted something at each look.
    runtime: runtimeOf((line) => (line.startsWith("show stat -1 1") ? Promise.resolve(`${++looks}`) : answer)),
    sampling: { oneIn: 2, take: () => new Map([["s:v1/vm0:80", [7, 2]]]) },
    names: new BackendNames(),
    board,
    findings: { look: async () => {} },
  });
  link = reporter.handler(FOLLOWER);
});

function note(agoMs: number | null, services: readonly string[] = ["s"], routes = false): void {
  reporter.noteChange({ atMs: agoMs === null ? null : clock.nowMs() - agoMs, services: new Set(services), routes });
}

const at = (revision: number) => ({ epoch: "e", revision });

/** HAProxy's answer for servers with so many requests each. */
function statOf(...requests: readonly number[]): string {
  const rows = requests.map((count, i) => `s:v1,vm${i}:80,${count},0,0,0,${count},0,0,0,2,3,9\n`);
  const names = "pxname,svname,stot,econ,eresp,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,type,ttime,ttime_max";
  return `# ${names}\n${rows.join("")}`;
}

describe("Reporter", () => {
  test("counts how long changes take, the oldest of those that come together", () => {
    link.connected(session);
    note(null);
    reporter.applied([]);
    note(30);
    note(10);
    reporter.applied([]);
    reporter.applied([]);
    expect(followedMs).toEqual([30]);
  });

  test("does not count what it catches up with after the link was down", () => {
    for (let i = 0; i < 2; i++) {
      link.connected(session);
      note(null, []); // only the end of the warm-up
      note(60_000);
      reporter.applied([]);
      note(5);
      reporter.applied([]);
      link.disconnected("gone");
    }
    expect(followedMs).toEqual([5, 5]);
  });

  test("tells each new connection what HAProxy follows", () => {
    reporter.applied([{ subject: "//s", message: "no" }]);
    expect(sent).toEqual([]);
    link.connected(session);
    const problems = [{ subject: "//s", message: "no" }];
    expect(sent).toEqual([{ type: "applied", epoch: "e", revision: 7, problems }]);
  });

  test("serves by a table of no position, which it can acknowledge to nobody, and by none says nothing", () => {
    const applied: string[] = [];
    reporter.onApplied(() => applied.push("applied"));
    planning.current = null;
    planning.position = null;
    reporter.applied([]);
    expect(applied).toEqual([]);
    planning.current = {} as Plan;
    reporter.applied([]);
    expect(applied).toEqual(["applied"]);
    link.connected(session);
    expect(sent).toEqual([]);
  });

  test("tells what is wrong also while HAProxy follows no table, and each change of it once", async () => {
    link.connected(session);
    const problem = { subject: "host moving", message: "does not resolve" };
    board.set("names", [problem]);
    board.set("names", [problem]);
    await clock.advance(100);
    expect(sent).toEqual([{ type: "problems", problems: [problem] }]);
    reporter.applied([{ subject: "//s", message: "no" }]);
    await clock.advance(100);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ type: "applied", problems: [{ subject: "host moving" }, { subject: "//s" }] });
    link.disconnected("gone");
    board.set("names", []);
    await clock.advance(100);
    link.connected(session);
    expect(sent.slice(2)).toMatchObject([{ type: "applied", problems: [{ subject: "//s" }] }]);
  });

  test("counts for the last time before the link ends, in messages that each fit into a frame", async () => {
    answer = Promise.resolve(statOf(...Array.from({ length: 1_001 }, () => 3)));
    link.connected(session);
    await reporter.finish();
    const messages = sent as { readonly type: string; readonly counters: readonly unknown[] }[];
    expect(messages.map(({ type, counters }) => [type, counters.length])).toEqual([
      ["counters", 500],
      ["counters", 500],
      ["counters", 1],
    ]);
    expect(messages[0]).toMatchObject({ oneIn: 2 });
    expect(messages[0]?.counters[0]).toMatchObject({ service: "s", requests: 3, latencies: [7, 2] });
  });

  test("takes one answer after the other: an older one that came later would be taken for a new worker's", async () => {
    link.connected(session);
    const [slow, quick] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    answer = slow.promise;
    const first = reporter.beforeReload();
    await clock.advance(0);
    answer = quick.promise;
    const second = reporter.beforeReload();
    quick.resolve(statOf(110));
    await clock.advance(0);
    slow.resolve(statOf(100));
    await Promise.all([first, second]);
    const messages = sent as { readonly counters: readonly { readonly requests: number }[] }[];
    expect(messages.flatMap(({ counters }) => counters.map(({ requests }) => requests))).toEqual([100, 10]);
  });

  test("tells what routes from before have served apart from what new ones do, and then more often for a while", async () => {
    answer = Promise.resolve(statOf(100));
    link.connected(session);
    const stop = new AbortController();
    const running = reporter.run(stop.signal);
    reporter.applied([]);
    await clock.advance(5_000);
    note(0, ["s"], true);
    await clock.advance(1_000);
    answer = Promise.resolve(statOf(110));
    reporter.applied([]);
    await clock.advance(0);
    answer = Promise.resolve(statOf(115));
    await clock.advance(1_000);
    answer = Promise.resolve(statOf(120));
    await clock.advance(30_000);
    answer = Promise.resolve(statOf(140));
    await clock.advance(5_000);
    stop.abort();
    await running;
    const messages = sent as { type: string; periodMs: number; since: unknown; counters: { requests: number }[] }[];
    const told = messages.flatMap(({ type, periodMs, since, counters }) =>
      type === "counters" && counters[0]?.requests !== 0 ? [[periodMs, since, counters[0]?.requests]] : [],
    );
    expect(told).toEqual([
      [5_000, null, 100],
      [1_000, at(7), 10],
      [1_000, at(7), 5],
      [1_000, at(7), 5],
      [5_000, at(7), 20],
    ]);
  });

  test("does not wait at the end for an HAProxy that says nothing", async () => {
    answer = new Promise(() => {});
    const finished = reporter.finish();
    await clock.advance(500);
    await finished;
    expect(sent).toEqual([]);
  });
});
