import { expect, test } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { ProblemBoard } from "./problem-board.ts";
import { RecentProblems } from "./recent-problems.ts";

test("RecentProblems shows what happened for a while, each subject once, the newest first", async () => {
  const clock = createFakeClock();
  const board = new ProblemBoard();
  const end = new AbortController();
  const recent = new RecentProblems("events", { board, clock, signal: end.signal }, { keptMs: 60_000 });
  recent.note({ subject: "HAProxy", message: "ended by SIGKILL", remedy: "see its log" });
  await clock.advance(30_000);
  recent.note({ subject: "link", message: "refused" });
  recent.note({ subject: "link", message: "refused again" });
  expect(board.list()).toEqual([
    { subject: "link", message: "refused again (2 times, last at 2026-01-01T00:00:30.000Z)" },
    { subject: "HAProxy", message: "ended by SIGKILL (at 2026-01-01T00:00:00.000Z)", remedy: "see its log" },
  ]);
  await clock.advance(30_000);
  expect(board.list()).toMatchObject([{ subject: "link" }]);
  await clock.advance(30_000);
  expect(board.list()).toEqual([]);
  expect(clock.pending()).toBe(0);
  recent.note({ subject: "HAProxy", message: "ended" });
  end.abort();
  expect(clock.pending()).toBe(0);
});

test("RecentProblems keeps no more subjects than anybody reads", () => {
  const board = new ProblemBoard();
  const recent = new RecentProblems("events", {
    board,
    clock: createFakeClock(),
    signal: new AbortController().signal,
  });
  for (let i = 0; i < 1_000; i++) recent.note({ subject: `link from 10.0.0.${i}`, message: "refused" });
  expect(board.list()).toHaveLength(20);
  expect(board.list()[0]?.subject).toBe("link from 10.0.0.999");
});

test.each([-3_600_000, 3_600_000])(
  "RecentProblems shows a problem for as long though the wall clock jumps by %i ms",
  async (ms) => {
    const clock = createFakeClock();
    const board = new ProblemBoard();
    const { signal } = new AbortController();
    const recent = new RecentProblems("events", { board, clock, signal }, { keptMs: 60_000 });
    recent.note({ subject: "HAProxy", message: "ended" });
    clock.jumpWallClock(ms);
    await clock.advance(30_000);
    recent.note({ subject: "link", message: "refused" });
    expect(board.list()).toMatchObject([{ subject: "link" }, { subject: "HAProxy" }]);
    await clock.advance(30_000);
    expect(board.list()).toMatchObject([{ subject: "link" }]);
    await clock.advance(30_000);
    expect(board.list()).toEqual([]);
  },
);
