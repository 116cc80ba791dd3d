import type { Clock } from "@datawire/runtime";

/**
 * The time of day as it was when this began, going on as the monotonic clock does, in whole milliseconds since 1970: a
 * wall clock that is set ends no message's time, and keeps none for longer.
 */
export function steadyTime(clock: Pick<Clock, "nowMs" | "monotonicMs">): () => number {
  const originMs = clock.nowMs() - clock.monotonicMs();
  return () => Math.floor(originMs + clock.monotonicMs());
}
