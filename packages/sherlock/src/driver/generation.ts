import type { Clock } from "@datawire/runtime";

let count = 0;

/** Names a configuration; never the same twice. */
export function newGeneration(clock: Pick<Clock, "nowMs">): string {
  return `${new Date(clock.nowMs()).toISOString()}-${process.pid}-${++count}`;
}
