import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

export interface ShellOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The folder of commands as the shell sees it. */
  readonly inside: string;
}

/** One shell that runs the commands of a page one after the other: folders, variables and background jobs stay. */
export class Shell {
  readonly #folder: string;
  readonly #bash: ChildProcess;
  readonly #answers: Interface;
  /** Resolves with false. */
  readonly #ended: Promise<false>;
  /** The folder as the shell sees it. */
  readonly #inside: string;
  /** What was printed outside of any command. */
  readonly #said: string[] = [];
  #count = 0;

  /**
   * @param folder where commands and their output are kept.
   * @param command starts a bash that reads commands from its input.
   */
  constructor(folder: string, [program, ...args]: readonly [string, ...string[]], { inside, env }: ShellOptions) {
    this.#folder = folder;
    this.#inside = inside;
    this.#bash = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.#bash.stderr?.on("data", (data) => this.#said.push(String(data)));
    this.#bash.stdin?.on("error", () => {}); // it has ended, which `run` tells
    // Also when the test was killed: its end is the end of the input, and with the shell ends all that it started.
    this.#bash.stdin?.write(`trap 'trap "" TERM; kill -TERM 0' EXIT\n`);
    this.#ended = once(this.#bash, "close").then(() => false);
    this.#answers = createInterface({ input: this.#bash.stdout as NonNullable<ChildProcess["stdout"]> });
  }

  /** Runs a command and gives what it printed, on both channels, as a terminal shows it. */
  async run(command: string): Promise<string> {
    const name = `command-${++this.#count}`;
    const [file, inside] = [join(this.#folder, name), join(this.#inside, name)];
    writeFileSync(file, `${command}\n`);
    this.#bash.stdin?.write(`source ${inside} >${inside}.out 2>&1 </dev/null; echo done\n`);
    const answered = await Promise.race([once(this.#answers, "line").then(() => true), this.#ended]);
    const output = existsSync(`${file}.out`) ? readFileSync(`${file}.out`, "utf8") : "";
    if (!answered) throw new Error(`the shell ended in ${JSON.stringify(command)}: ${this.#said.join("")}${output}`);
    return output;
  }

  /** Ends it, and what it runs; where that is root's and the test is not, after the command that it is in. */
  async end(): Promise<void> {
    this.#bash.stdin?.end();
    if (process.getuid?.() === 0) this.#bash.kill("SIGKILL");
    await this.#ended;
  }
}
