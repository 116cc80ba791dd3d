import type { Clock } from "@datawire/runtime";

/** Calls a function repeatedly, each time so many milliseconds after it has returned. @returns what ends that. */
export function every(clock: Pick<Clock, "setTimer">, ms: number, fn: () => void): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = clock.setTimer(ms, () => {
      fn();
      next();
    });
  };
  next();
  return () => cancel();
}
