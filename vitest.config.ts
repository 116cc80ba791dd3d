import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./e2e/harness/longest-first.ts";

/** A bound for what hangs, and not for what is slow on a busy machine: no test has one of its own (scripts/time-bounds.test.ts). */
const HANGS_MS = 600_000;
/** The same for `expect.poll`, whose own is one second. */
const poll = { timeout: HANGS_MS / 5, interval: 25 };
/** `npm run soak` runs the same scenarios with their full counts. */
const testTimeout = process.env["DSTACK_SOAK"] === "1" ? 3_600_000 : HANGS_MS;

/** Hundreds of processes are started from the same sources: the first one compiles for all. */
const NODE_COMPILE_CACHE = join(import.meta.dirname, ".cache/compiled");

/** How tests run that start real daemons. */
const scenarios = {
  testTimeout,
  expect: { poll },
  hookTimeout: HANGS_MS,
  // As with the unit tests below: a process for each of 73 files, with modules of its own, took 1.6 s of CPU.
  isolate: false,
  // Each scenario starts real daemons, and waits for them and for time: four at once left a fifth of two cores idle.
  maxWorkers: 4 + availableParallelism(),
  maxConcurrency: 2,
  globalSetup: "e2e/harness/programs.ts",
  env: {
    DSTACK_PROGRAMS: join(import.meta.dirname, "build/lib"),
    NODE_COMPILE_CACHE,
  },
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
          // The files of a worker share its modules: loading them anew for each file cost more than all tests (56 s of CPU
          // without, 125 s with). So no module keeps what one test could leave to another.
          isolate: false,
          // Of the tests that take long, most wait: for a proxy, a store, a process. One worker fewer than there are cores,
          // which is the default, left two cores idle for a third of the time (113 s with one, 68 s with three).
          maxWorkers: Math.max(3, availableParallelism() - 1),
          testTimeout,
          hookTimeout: HANGS_MS,
          expect: { poll },
          env: { NODE_COMPILE_CACHE },
        },
      },
      {
        test: {
          ...scenarios,
          name: "e2e",
          // Not beside the unit tests, which have other workers, where somebody runs files of both.
          sequence: { groupOrder: 1 },
          include: ["e2e/**/*.test.ts"],
          exclude: ["**/node_modules/**", "e2e/brokers/**"],
        },
      },
      // With brokers that the system's packages lack: npm run test-brokers.
      { test: { ...scenarios, name: "brokers", sequence: { groupOrder: 2 }, include: ["e2e/brokers/**/*.test.ts"] } },
    ],
    sequence: { sequencer: LongestFirst },
    coverage: { provider: "v8", include: ["packages/*/src/**/*.ts"] },
  },
});
