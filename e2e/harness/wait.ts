import { setTimeout as sleep } from "node:timers/promises";
import { eventually as eventuallyWithin } from "@datawire/runtime/testing";

/** `eventually` of the packages' tests, at the pace of whole processes. */
export function eventually<T>(check: () => T | Promise<T>, withinMs = 15_000): Promise<T> {
  return eventuallyWithin(check, withinMs, 25);
}

export { sleep };
