/**
 * Calls `fn` once everything that has arrived by now has been read. After a process was stopped or busy, its timers run
 * before its sockets are read, where an answer may be waiting.
 */
export function afterReading(fn: () => void): void {
  // Two turns of the event loop, as sockets are read in between.
  setImmediate(() => setImmediate(fn));
}
