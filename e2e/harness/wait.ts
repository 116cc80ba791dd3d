import { setTimeout as sleep } from "node:timers/promises";
import { eventually as eventuallyAt } from "@datawire/runtime/testing";

/** `eventually` of the packages' tests, at the pace of whole processes. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return eventuallyAt(check, { pauseMs: 25 });
}

export { sleep };
