import { setTimeout as sleep } from "node:timers/promises";
import { eventually as eventuallyAt } from "@datawire/runtime/testing";

/**
 * `eventually` of the packages' tests, at the pace of whole processes: who asks them all the time takes the CPU from what
 * is waited for.
 */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return eventuallyAt(check, { pauseMs: 20, pauseMaxMs: 100 });
}

export { sleep };
