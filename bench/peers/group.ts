import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";

/** Processes that end together. */
export class Group {
  readonly #children: ChildProcess[] = [];
  readonly #folder: string;

  /** @param folder for what they say. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts a program; gives its id. */
  start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
    const log = openSync(join(this.#folder, `${this.#children.length}.log`), "w");
    const own = { PATH: `${process.env["PATH"]}:/usr/sbin`, HOME: this.#folder, ...env };
    const child = spawn(program, args, { env: own, stdio: ["ignore", log, log] });
    this.#children.push(child);
    if (child.pid === undefined) throw new Error(`Cannot start ${program}`);
    return child.pid;
  }

  /** Ends all of them, the last that was started first. */
  async end(): Promise<void> {
    for (const child of this.#children.splice(0).toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
  }
}
