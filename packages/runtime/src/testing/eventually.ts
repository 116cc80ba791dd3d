import { setTimeout as sleep } from "node:timers/promises";

/** A bound for what never comes, below that of a whole test: so the last error is told, and not only that it took too long. */
const PATIENCE_MS = 120_000;

interface Pace {
  readonly pauseMs?: number;
  /** What the pause grows to, by a quarter from one try to the next; default: it stays. */
  readonly pauseMaxMs?: number;
}

/**
 * Repeats `check` until it returns without throwing, and gives what it returned; after two minutes its last error is
 * thrown. How soon something happens is measured by `bench/`: a test that asks for it fails on a busy machine.
 * @param pace between two tries.
 */
export async function eventually<T>(check: () => T | Promise<T>, pace: Pace = {}): Promise<T> {
  const { pauseMs: firstMs = 10, pauseMaxMs = firstMs } = pace;
  const end = performance.now() + PATIENCE_MS;
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 1.25, pauseMaxMs)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(pauseMs);
    }
  }
}
