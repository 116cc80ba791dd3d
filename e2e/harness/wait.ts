import { setTimeout as sleep } from "node:timers/promises";

/** Repeats `check` until it returns without throwing, and gives what it returned; the last error counts at the end. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 15_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(25);
    }
  }
}

export { sleep };
