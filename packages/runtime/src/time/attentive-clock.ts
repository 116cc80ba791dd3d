import { type Clock, sleepWith } from "./clock.ts";

/** How often it is looked whether this process runs. */
const BEAT_MS = 100;
/** What counts of the time between two beats: a beat that comes later says that nothing was attended to meanwhile. */
const COUNTED_MS_MAX = 2 * BEAT_MS;

/**
 * A clock by which the silence of others is judged: its `monotonicMs` and its timers count only time in which this
 * process attended to what came. They leave out what it was stopped for (SIGSTOP, a machine that slept or was moved) and
 * what its event loop was busy with: by then an answer may lie in a socket that nobody has read, and timers run before
 * sockets are read.
 *
 * It is no measure of how long something took.
 * @param signal ends its beat; afterwards it stands still.
 */
export function createAttentiveClock(clock: Clock, signal: AbortSignal): Clock {
  let countedMs = 0;
  let beatMs = clock.monotonicMs();
  const monotonicMs = (): number => countedMs + Math.min(clock.monotonicMs() - beatMs, COUNTED_MS_MAX);
  let cancelBeat = (): void => {};
  const beat = (): void => {
    countedMs = monotonicMs();
    beatMs = clock.monotonicMs();
    cancelBeat = clock.setTimer(BEAT_MS, beat);
  };
  if (!signal.aborted) {
    beat();
    signal.addEventListener("abort", () => cancelBeat(), { once: true });
  }
  const setTimer: Clock["setTimer"] = (ms, fn) => {
    const dueMs = monotonicMs() + ms;
    let cancel = (): void => {};
    const wait = (leftMs: number): void => {
      cancel = clock.setTimer(leftMs, () => {
        const restMs = dueMs - monotonicMs();
        // Below a millisecond timers are not exact.
        if (restMs >= 1 && !signal.aborted) wait(restMs);
        else fn();
      });
    };
    wait(ms);
    return () => cancel();
  };
  return { nowMs: clock.nowMs, monotonicMs, sleep: (ms, until) => sleepWith(setTimer, ms, until), setTimer };
}
