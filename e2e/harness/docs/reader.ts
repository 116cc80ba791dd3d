import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asRoot } from "../as-root.ts";
import { BIN } from "../programs.ts";
import type { FileItem } from "./page.ts";
import { Shell } from "./shell.ts";

const ROOT = join(import.meta.dirname, "../../..");
const START = join(import.meta.dirname, "../../fixtures/reader.sh");
const PAGE_FOLDER = "/mnt/page";
/** Ends when the test is killed, also in the middle of a loop that waits for something. */
const WITH_TEST = ["setpriv", "--pdeathsig", "KILL"];
/** On a terminal, which this is not, curl shows no progress. */
const AS_ON_A_TERMINAL = `curl() { command curl --no-progress-meter "$@"; }`;

/**
 * Who follows a page: the ports and paths that it names, an empty home, no settings, no variables, and in PATH the
 * system and nothing else. Needs root or sudo, as `machine.ts` does.
 */
export class Reader {
  readonly #folder: string;
  readonly #shell: Shell;
  #files = 0;

  private constructor(folder: string, shell: Shell) {
    this.#folder = folder;
    this.#shell = shell;
  }

  /** @throws Error that says what this machine lacks. */
  static async arrive(): Promise<Reader> {
    const folder = mkdtempSync(join(tmpdir(), "dstack-page-"));
    const command = asRoot([...WITH_TEST, "sh", START, folder, ROOT]);
    const shell = new Shell(folder, command, { env: { PATH: process.env["PATH"] }, inside: PAGE_FOLDER });
    try {
      await shell.run(AS_ON_A_TERMINAL);
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true });
      throw new Error(
        `Cannot follow a page on a machine of its own: ${String(cause)}; wanted root or sudo without a password, and leave to make namespaces and mounts (a container needs --privileged)`,
        { cause },
      );
    }
    return new Reader(folder, shell);
  }

  /** Types a command; gives what it printed, on both channels. */
  type(command: string): Promise<string> {
    return this.#shell.run(command);
  }

  /**
   * Saves a file of the page, as with an editor: into a folder that is there. What is shown as another way is put aside.
   * @returns where it is.
   */
  async save({ path, content, aside, line }: FileItem): Promise<string> {
    const name = `file-${++this.#files}`;
    writeFileSync(join(this.#folder, name), content, { mode: 0o644 });
    if (aside) return `${PAGE_FOLDER}/${name}`;
    const printed = await this.type(`cp ${PAGE_FOLDER}/${name} ${path}`);
    if (printed !== "") throw new Error(`line ${line}: the reader cannot save the file: ${printed}`);
    return path;
  }

  /** Runs a program of the checkout, whatever the page has put into PATH so far; throws when it fails. */
  async check(program: string, args: readonly string[], line: number): Promise<void> {
    const printed = await this.type(`PATH=${BIN}:$PATH ${program} ${args.join(" ")} || echo "ended with $?"`);
    if (printed !== "") throw new Error(`line ${line}: ${program} refuses the file: ${printed}`);
  }

  /** Ends all that still runs. */
  async leave(): Promise<void> {
    await this.#shell.end();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
