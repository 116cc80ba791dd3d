/**
 * Calls `fn` once what had arrived by now has been read: when a process was stopped or busy, its timers run before its
 * sockets are read, and an answer may be waiting there.
 */
export function afterReading(fn: () => void): void {
  // The second turn: sockets are read between two of them.
  setImmediate(() => setImmediate(fn));
}
