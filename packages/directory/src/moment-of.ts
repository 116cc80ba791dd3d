import type { Clock } from "@datawire/runtime";
import type { Moment } from "./core/moment.ts";

/** The moment that a clock shows. */
export function momentOf(clock: Pick<Clock, "nowMs" | "monotonicMs">): Moment {
  return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
}
