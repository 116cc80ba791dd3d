import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A process that a test started: its output, its end, and the ways to end it. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Lines of stdout and stderr so far, in the order of their coming. */
  readonly lines: readonly string[];
  /** Resolves with the first line, past or future, for which `match` is true; rejects when the process ends before. */
  line(match: (line: string) => boolean): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Ends its standard input, where it has one. */
  endInput(): void;
  running(): boolean;
}

const LINES_MAX = 20_000;

/** Starts a process of this checkout with the Node that runs the test. */
export function startChild(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Child {
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  return watchChild(child, `${file} ${args.join(" ")}`);
}

/** Follows a process that was started some other way. */
export function watchChild(child: ChildProcess, title: string): Child {
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > LINES_MAX) lines.splice(0, LINES_MAX / 2);
      for (const check of waiting) check(line);
    });
  }
  const exited = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  return {
    pid: child.pid as number,
    exited,
    lines,
    line(match) {
      const known = lines.find(match);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const check = (line: string): void => {
          if (!match(line)) return;
          waiting.delete(check);
          resolve(line);
        };
        waiting.add(check);
        void exited.then(({ code, signal }) => {
          waiting.delete(check);
          reject(new Error(`${title} ended (${code ?? signal}) before the line came:\n${lines.slice(-20).join("\n")}`));
        });
      });
    },
    kill: (signal) => child.kill(signal),
    endInput: () => child.stdin?.end(),
    running: () => child.exitCode === null && child.signalCode === null,
  };
}
