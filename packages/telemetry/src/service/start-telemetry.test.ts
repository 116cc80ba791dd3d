import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { type LogFields, type Logger, noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tracesQuestion } from "../query/questions.ts";
import { TEST_SETTINGS } from "../testing/keepers.ts";
import { bytesOf, spanOf, traceRequest } from "../testing/requests.ts";
import { startTelemetry } from "./start-telemetry.ts";
import type { Telemetry } from "./telemetry.ts";

let folder = "";
let telemetry: Telemetry | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "datawire-thread-"));
});
afterEach(async () => {
  await telemetry?.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = () => ({ folder, self: "self", settings: TEST_SETTINGS });
const body = (tenant: string) => ({
  tenant,
  signal: "traces" as const,
  format: "json" as const,
  gzip: false,
  bytes: bytesOf(traceRequest([spanOf()])),
});
const program = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

test("startTelemetry() keeps and finds in a thread, tells who follows, and ends with all on the disk", async () => {
  telemetry = startTelemetry(start(), { clock: systemClock, log: noLog, board: new ProblemBoard() });
  const told: string[] = [];
  const stop = telemetry.follow("acme", () => told.push("acme"));
  telemetry.follow(null, () => told.push("none"));
  expect(await telemetry.otlp(body("acme"))).toMatchObject({ state: "kept" });
  const found = await telemetry.ask("acme", tracesQuestion({}, 0));
  expect(found.state === "found" && Buffer.from(found.json ?? []).toString()).toContain('"name":"work"');
  expect(told).toEqual(["acme"]);
  stop();
  expect(await telemetry.otlp({ ...body("acme"), bytes: bytesOf([]) })).toMatchObject({ state: "refused" });
  await telemetry.close();
  expect(await telemetry.ask("acme", tracesQuestion({}, 0))).toMatchObject({ state: "refused", code: "unavailable" });
});

test.runIf(process.platform === "linux")(
  "startTelemetry() lets the main thread go before its own, which has room for what it just made",
  async () => {
    const code = `
      import { getHeapSpaceStatistics } from "node:v8";
      import "${new URL("../worker/thread.ts", import.meta.url).href}";
      let made = [];
      for (let i = 0; i < 400_000; i++) made = [made.length];
      const { space_size: bytes } = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
      throw new Error("nursery of " + bytes);
    `;
    const board = new ProblemBoard();
    // As the directory keeps its own heap.
    setFlagsFromString("--semi-space-growth-factor=1");
    telemetry = startTelemetry(start(), { clock: createFakeClock(), log: noLog, board });
    expect(await telemetry.otlp(body(""))).toMatchObject({ state: "kept" });
    expect(nicenessOf("traces")).toBe(nicenessOf(null) + 5);
    await telemetry.close();
    telemetry = startTelemetry(start(), { clock: createFakeClock(), log: noLog, board }, program(code));
    await telemetry.otlp(body(""));
    const [{ message } = { message: "" }] = board.list();
    expect(Number(/nursery of (\d+)/.exec(message)?.[1])).toBeGreaterThan(8 * 1024 * 1024);
  },
);

test("startTelemetry() answers for a thread that fails, tells it, and starts it again", async () => {
  const clock = createFakeClock();
  const board = new ProblemBoard();
  const errors: (LogFields | undefined)[] = [];
  const log: Logger = { ...noLog, error: (_message, fields) => void errors.push(fields) };
  const code =
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { throw new Error("broken"); });';
  telemetry = startTelemetry(start(), { clock, log, board }, program(code));
  for (let round = 1; round <= 2; round++) {
    expect(await telemetry.otlp(body(""))).toMatchObject({ state: "refused", code: "unavailable" });
    expect(errors).toHaveLength(round);
    expect(board.list()).toMatchObject([{ subject: "traces", message: expect.stringContaining("broken") }]);
    // Until it is started again, nobody waits for it.
    expect(await telemetry.append(null, [])).toMatchObject({ state: "refused", code: "unavailable" });
    await clock.advance(4_000);
  }
});

test("reserve() gives no more room than there is, but always some", () => {
  telemetry = startTelemetry(start(), { clock: systemClock, log: noLog, board: new ProblemBoard() });
  expect(telemetry.reserve(100 * 1024 * 1024)).toBe(true);
  expect(telemetry.reserve(1)).toBe(false);
  telemetry.release(100 * 1024 * 1024);
  expect(telemetry.reserve(1)).toBe(true);
});

test("startTelemetry() starts its thread with the first request where nothing was ever kept", async () => {
  const board = new ProblemBoard();
  const fails = program('throw new Error("broken");');
  const deps = { clock: createFakeClock(), log: noLog, board };
  telemetry = startTelemetry({ ...start(), folder: join(folder, "none") }, deps, fails);
  expect(telemetry.lost(null)).toEqual({});
  telemetry.configure(TEST_SETTINGS);
  await new Promise((resolve) => setImmediate(resolve));
  expect(board.list()).toEqual([]);
  expect(await telemetry.otlp(body(""))).toMatchObject({ state: "refused" });
  expect(board.list()).toHaveLength(1);
});

/** The niceness of a thread of this process by its name; null for the main one (proc(5), field 19 of `stat`). */
function nicenessOf(name: string | null): number {
  const tasks = name === null ? [String(process.pid)] : readdirSync("/proc/self/task");
  for (const task of tasks) {
    const [head = "", rest = ""] = readFileSync(`/proc/self/task/${task}/stat`, "utf8").split(") ");
    if (name === null || head.endsWith(`(${name}`)) return Number(rest.split(" ")[16]);
  }
  throw new Error(`No thread is called ${name}`);
}
