import { setTimeout as sleep } from "node:timers/promises";

/**
 * Repeats `check` until it returns without throwing, and gives what it returned.
 * @param withinMs how long to go on; then the last error is thrown.
 * @param pauseMs between two tries.
 */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 30_000, pauseMs = 10): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(pauseMs);
    }
  }
}
