import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

/** One shell that runs the commands of a page one after the other: folders, variables and background jobs stay. */
export class Shell {
  readonly #folder: string;
  readonly #bash: ChildProcess;
  readonly #answers: Interface;
  /** Resolves with false. */
  readonly #ended: Promise<false>;
  #count = 0;

  /** @param command starts a bash that reads commands from its input. */
  constructor(
    folder: string,
    [program, ...args]: readonly [string, ...string[]],
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  ) {
    this.#folder = folder;
    this.#bash = spawn(program, args, { ...options, stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = once(this.#bash, "close").then(() => false);
    this.#answers = createInterface({ input: this.#bash.stdout as NonNullable<ChildProcess["stdout"]> });
  }

  /** Runs a command and gives what it printed, on both channels, as a terminal shows it. */
  async run(command: string): Promise<string> {
    const file = join(this.#folder, `command-${++this.#count}`);
    writeFileSync(file, `${command}\n`);
    this.#bash.stdin?.write(`source ${file} >${file}.out 2>&1 </dev/null; echo done\n`);
    const answered = await Promise.race([once(this.#answers, "line").then(() => true), this.#ended]);
    const output = readFileSync(`${file}.out`, "utf8");
    if (!answered) throw new Error(`the shell ended in ${JSON.stringify(command)}:\n${output}`);
    return output;
  }

  end(): void {
    this.#bash.kill("SIGKILL");
  }
}
