import { expect, test } from "vitest";
import { CALM_MS, CHANGES_MAX, damped, type Damping, isHeld, noteChange, STEADY, WINDOW_MS } from "./damping.ts";

function changes(
  count: number,
  everyMs: number,
  from: Damping = STEADY,
  startMs = 0,
): { damping: Damping; atMs: number } {
  let damping = from;
  let atMs = startMs;
  for (let i = 0; i < count; i++) {
    atMs = startMs + i * everyMs;
    damping = noteChange(damping, atMs);
  }
  return { damping, atMs };
}

test("noteChange() holds an instance that changes more often than the limit", () => {
  const allowed = changes(CHANGES_MAX, 1_000);
  expect(isHeld(allowed.damping, allowed.atMs)).toBe(false);
  const over = changes(CHANGES_MAX + 1, 1_000);
  expect(isHeld(over.damping, over.atMs)).toBe(true);
});

test("noteChange() forgets changes that are older than the window", () => {
  const slow = changes(100, WINDOW_MS / (CHANGES_MAX - 1));
  expect(isHeld(slow.damping, slow.atMs)).toBe(false);
});

test("noteChange() lets go after a time without a change, and counts afresh", () => {
  const { damping, atMs } = changes(CHANGES_MAX + 1, 10);
  expect(isHeld(damping, atMs + CALM_MS - 1)).toBe(true);
  expect(isHeld(damping, atMs + CALM_MS)).toBe(false);
  const again = noteChange(damping, atMs + CALM_MS + 1);
  expect(isHeld(again, atMs + CALM_MS + 1)).toBe(false);
});

test("noteChange() prolongs the hold of an instance that goes on flapping", () => {
  const { damping, atMs } = changes(CHANGES_MAX + 1, 10);
  const later = noteChange(damping, atMs + CALM_MS - 1);
  expect(isHeld(later, atMs + CALM_MS + 1)).toBe(true);
});

test("noteChange() keeps a bounded list", () => {
  expect(changes(1_000, 1).damping.changesMs.length).toBeLessThanOrEqual(CHANGES_MAX + 1);
});

test("damped() bounds the changes that others see of an instance that flips twice a second", () => {
  let damping = STEADY;
  let seen = "live";
  let flips = 0;
  for (let i = 1; i <= 120; i++) {
    const health =
      i % 2 === 0 ? ({ state: "live" } as const) : ({ state: "down", reason: "503", cause: "failed" } as const);
    damping = noteChange(damping, i * 500);
    const { state } = damped(health, damping, i * 500);
    if (state !== seen) flips++;
    seen = state;
  }
  expect(flips).toBeLessThanOrEqual(CHANGES_MAX + 1);
  expect(seen).toBe("down");
});

test("damped() keeps the reason of the checks while they fail", () => {
  const { damping, atMs } = changes(CHANGES_MAX + 1, 10);
  const down = { state: "down", reason: "503", cause: "timeout" } as const;
  expect(damped(down, damping, atMs)).toEqual(down);
  expect(damped({ state: "live" }, damping, atMs)).toMatchObject({ reason: expect.stringContaining("flapping") });
});
