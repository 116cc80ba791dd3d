import type { ProcessLike, SignalName } from "../daemon/daemon-process.ts";

/** A process whose signals a test sends, and whose output and exit it reads. */
export interface FakeProcess extends ProcessLike {
  readonly printed: { stdout: string; stderr: string };
  /** The codes that `exit` was called with. */
  readonly exits: readonly number[];
  /** How many listeners there are, for signals and crashes: zero once a daemon has ended. */
  listeners(): number;
  signal(name: SignalName): void;
  crash(error: unknown): void;
}

/** Makes a process that was called with `argv` (without node and script). */
export function createFakeProcess(argv: readonly string[], env: Readonly<Record<string, string>> = {}): FakeProcess {
  const printed = { stdout: "", stderr: "" };
  const exits: number[] = [];
  const listeners = new Map<string, Set<(error?: unknown) => void>>();
  const on = (name: string, listener: (error?: unknown) => void): (() => void) => {
    const all = listeners.get(name) ?? new Set();
    listeners.set(name, all.add(listener));
    return () => void all.delete(listener);
  };
  const fire = (name: string, error?: unknown): void => {
    for (const listener of listeners.get(name) ?? []) listener(error);
  };
  return {
    argv: ["node", "main.ts", ...argv],
    env,
    pid: 4242,
    printed,
    exits,
    stdout: (text) => void (printed.stdout += text),
    stderr: (text) => void (printed.stderr += text),
    onSignal: on,
    onCrash: (listener) => on("crash", listener),
    exit: (code) => void exits.push(code),
    listeners: () => [...listeners.values()].reduce((sum, all) => sum + all.size, 0),
    signal: (name) => fire(name),
    crash: (error) => fire("crash", error),
  };
}
