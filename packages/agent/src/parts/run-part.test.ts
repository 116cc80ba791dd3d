import { createReadiness, type DaemonContext, noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { Relays } from "./relays.ts";
import { runPart } from "./run-part.ts";

type Run = (context: DaemonContext<string>) => Promise<void>;

/** A process with one part, whose runs a test makes one after the other. */
function start(...runs: readonly Run[]) {
  const clock = createFakeClock();
  const stop = new AbortController();
  const board = new ProblemBoard();
  const readiness = createReadiness();
  const reloads = new Relays<string>();
  const leaves = new Relays<void>();
  let settings = "first";
  const given: DaemonContext<string>[] = [];
  const context: DaemonContext<unknown> = {
    settings: null,
    input: { config: undefined, directories: [], options: {}, args: [], env: {} },
    log: noLog,
    clock,
    attentive: clock,
    board,
    signal: stop.signal,
    readiness,
    onReload() {},
    onUserSignal() {},
    onLeave: () => () => {},
    stop: () => stop.abort(),
  };
  const ended = runPart(
    {
      name: "watson",
      run: (part) => {
        given.push(part);
        return (runs[given.length - 1] ?? untilStopped)(part);
      },
    },
    {
      context,
      settings: () => settings,
      onReload: (listener) => reloads.to(listener),
      onUserSignal: (listener) => leaves.to(listener),
    },
  );
  readiness.seal();
  const reload = async (next: string): Promise<void> => {
    settings = next;
    await reloads.send(next);
  };
  return { clock, stop, board, readiness, leaves, reload, given, ended };
}

const untilStopped: Run = ({ signal, readiness }) => {
  readiness.seal();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
};
const failing: Run = () => Promise.reject(new Error("the port is in use"));

test("runPart() makes the process ready when the part is", async () => {
  const { clock, readiness, stop, ended } = start(untilStopped);
  await clock.advance(0);
  expect(readiness.missing()).toEqual([]);
  stop.abort();
  await ended;
  expect(clock.pending()).toBe(0);
});

test("runPart() starts a part again that fails, says why until it is up, and takes nothing else with it", async () => {
  const { clock, readiness, board, given, stop, ended } = start(failing, failing, untilStopped);
  await clock.advance(0);
  expect(readiness.missing()).toEqual([{ part: "watson", reason: "ended, and is started again: the port is in use" }]);
  expect(board.list()).toMatchObject([{ subject: "watson", severity: "error" }]);
  await clock.advance(10_000);
  expect(given).toHaveLength(3);
  expect(readiness.missing()).toEqual([]);
  expect(board.list()).toEqual([]);
  stop.abort();
  await ended;
});

test("runPart() shows the problems of the process on the board of each run, and leaves it with the run", async () => {
  const { clock, board, given, stop, ended } = start(failing, untilStopped);
  await clock.advance(10_000);
  board.set("settings", [{ subject: "settings", message: "not reloaded", severity: "error" }]);
  expect(given.map((run) => run.board.list().some(({ subject }) => subject === "settings"))).toEqual([false, true]);
  stop.abort();
  await ended;
});

test("runPart() hands settings to the run of now, and starts the next with those of now", async () => {
  const heard: string[] = [];
  const listening =
    (name: string): Run =>
    ({ onReload, signal }) => {
      onReload((settings) => void heard.push(`${name} ${settings}`));
      return name === "one" ? failing({} as never) : untilStopped({ signal, readiness: createReadiness() } as never);
    };
  const { clock, reload, given, stop, ended } = start(listening("one"), listening("two"));
  await clock.advance(0);
  await reload("second");
  await clock.advance(10_000);
  await reload("third");
  expect(given.map(({ settings }) => settings)).toEqual(["first", "second"]);
  expect(heard).toEqual(["two third"]);
  stop.abort();
  await ended;
});

test("runPart() ends with the failure of a part that was told to stop", async () => {
  const { stop, ended } = start(
    ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("Cannot save")), { once: true }),
      ),
  );
  stop.abort();
  await expect(ended).rejects.toThrow("Cannot save");
});
