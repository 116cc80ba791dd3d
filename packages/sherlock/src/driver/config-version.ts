import { type Clock, isoTime } from "@datawire/runtime";

let count = 0;

/** Names a version of the configuration; never the same twice. */
export function newConfigVersion(clock: Pick<Clock, "nowMs">): string {
  return `${isoTime(clock.nowMs())}-${process.pid}-${++count}`;
}
