import { type Clock, noLog, systemClock } from "@datawire/runtime";
import { describe, expect, test } from "vitest";
import type { MasterState } from "../core/observe/answers.ts";
import { OldWorkers } from "./old-workers.ts";
import { runtimeOf } from "../testing/runtime.ts";
import { RuntimeApiError } from "./runtime-api.ts";

const STOPPING = "Stopping: 1\n";
/** A process that runs for as long as the test does. */
const { pid } = process;

/** Old workers whose master answers so, and what it was asked; time passes with each question and each wait. */
function workers(
  answer: (line: string, asked: readonly string[]) => string | null,
  { questionMs = 0, old = () => [pid], state = null as OldWorkersState | null } = {},
) {
  let nowMs = 0;
  const asked: string[] = [];
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
  };
  const master = runtimeOf(async (line) => {
    nowMs += questionMs;
    const said = answer(line, asked);
    asked.push(line);
    if (said === null) throw new RuntimeApiError("unreachable", "no answer");
    return said;
  });
  const masterState = async (): Promise<MasterState> => ({
    pid,
    workers: [],
    oldWorkers: old(),
    reloads: 1,
    failed: 0,
  });
  const told = new OldWorkers({ clock, log: noLog, master, state: state ?? masterState, hasEnded: () => false });
  return { told, asked, nowMs: () => nowMs };
}
type OldWorkersState = () => Promise<MasterState | null>;

const info = `@!${pid} show info`;
const one = `@!${pid} one`;

describe("OldWorkers.retire()", () => {
  test("tells a worker once that it is old, after it has been told to stop", async () => {
    const { told, asked } = workers((line, before) =>
      line === info ? (before.length < 2 ? "Stopping: 0\n" : STOPPING) : "\n",
    );
    await told.retire(["one"]);
    await told.retire(["one"]);
    expect(asked).toEqual([info, info, info, one]);
  });

  test("repeats a command that is not answered, as the master starts anew", async () => {
    const { told, asked } = workers((line, before) => (line === info ? STOPPING : before.includes(one) ? "\n" : null));
    await told.retire(["one"]);
    expect(asked).toEqual([info, one, one]);
  });

  test("gives a worker that hears nothing three questions' time, and tells it with the next reload", async () => {
    let hears = false;
    const { told, asked, nowMs } = workers((line) => (hears ? (line === info ? STOPPING : "\n") : null), {
      questionMs: 5_000,
    });
    await told.retire(["one"]);
    expect(asked).not.toContain(one);
    expect(nowMs()).toBeLessThan(25_000);
    hears = true;
    await told.retire(["one"]);
    expect(asked.slice(-2)).toEqual([info, one]);
  });

  test("tells a worker, too, that is replaced while another one is told", async () => {
    const other = process.ppid;
    let old = [pid];
    const { told, asked } = workers(
      (line) => {
        if (line === one) old = [pid, other];
        return line.endsWith("info") ? STOPPING : "\n";
      },
      { old: () => old },
    );
    await told.retire(["one"]);
    expect(asked).toEqual([info, one, `@!${other} show info`, `@!${other} one`]);
  });

  test("has nobody to tell where the master cannot be asked", async () => {
    const { told, asked } = workers(() => "\n", { state: async () => null });
    await told.retire(["one"]);
    expect(asked).toEqual([]);
  });
});
