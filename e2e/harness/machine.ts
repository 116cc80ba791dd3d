import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asRoot } from "./as-root.ts";
import { type Child, watchChild } from "./child.ts";
import { eventually } from "./wait.ts";

const BOOT = join(import.meta.dirname, "../fixtures/machine.sh");
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Units may wait for ever to become ready; a test may not. */
const RUN_MS_MAX = 500_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A throw-away copy of this machine with a systemd of its own: what is installed into it is gone with it, and its ports
 * are its own. Needs root, or sudo without a password.
 */
export class Machine {
  readonly folder: string;
  readonly #unshare: ChildProcess;
  readonly #pid: number;
  readonly #beside = new Set<Child>();

  private constructor(folder: string, unshare: ChildProcess, pid: number) {
    this.folder = folder;
    this.#unshare = unshare;
    this.#pid = pid;
  }

  /** @throws Error that says what this machine lacks. */
  static async boot(): Promise<Machine> {
    const folder = mkdtempSync(join(tmpdir(), "dstack-machine-"));
    mkdirSync(join(folder, "exchange"));
    const [program, ...args] = asRoot(["sh", BOOT, folder]);
    const unshare = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const said: string[] = [];
    for (const stream of [unshare.stdout, unshare.stderr]) stream.on("data", (data) => said.push(String(data)));
    const ended = once(unshare, "close").then(() => Promise.reject(new Error("it ended")));
    ended.catch(() => {}); // of interest while it starts
    try {
      const pid = await Promise.race([eventually(() => pidOfSystemd(said)), ended]);
      const machine = new Machine(folder, unshare, pid);
      await eventually(async () => {
        const { stdout } = await machine.run(["systemctl", "is-system-running"]);
        if (!/running|degraded/.test(stdout)) throw new Error(`the machine is ${stdout}: ${said.join("")}`);
      });
      return machine;
    } catch (cause) {
      await end(unshare);
      rmSync(folder, { recursive: true, force: true });
      throw new Error(
        `Cannot try the packages in a throw-away copy of this machine: ${said.join("").trim() || String(cause)}; wanted root or sudo, systemd, and leave to make namespaces and mounts (a container needs --privileged)`,
        { cause },
      );
    }
  }

  /** A folder that the machine sees as /mnt/exchange. */
  get exchange(): string {
    return join(this.folder, "exchange");
  }

  /** The process whose namespaces are the machine's. */
  get pid(): number {
    return this.#pid;
  }

  /** A command that runs a program in the machine. */
  entering(command: readonly string[]): [string, ...string[]] {
    return asRoot(["nsenter", "--target", String(this.#pid), "--all", "--", ...command]);
  }

  /** A command that runs a program of this machine's, not of its copy's, on the network of the copy. */
  onNetwork(command: readonly string[]): [string, ...string[]] {
    return asRoot(["nsenter", "--target", String(this.#pid), "--net", "--", ...command]);
  }

  /** Runs a program of the machine to its end. */
  run(command: readonly string[]): Promise<Ran> {
    const [program, ...args] = this.entering(command);
    return new Promise((resolve) => {
      execFile(
        program,
        args,
        { env: MACHINE_ENV, maxBuffer: OUTPUT_BYTES_MAX, timeout: RUN_MS_MAX },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
          resolve({ code, stdout: stdout.trim(), stderr: stderr.trim() });
        },
      );
    });
  }

  /** Runs a program of the machine that must succeed; gives what it printed. */
  async must(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${stderr} ${stdout}`);
    return stdout;
  }

  /** Runs shell commands in the machine that must succeed. */
  shell(script: string): Promise<string> {
    return this.must("sh", "-ec", script);
  }

  /** Starts a script of this checkout, with the Node that runs the test, on the network of the machine. */
  startOnNetwork(file: string, args: readonly string[]): Child {
    const [program, ...rest] = this.onNetwork([process.execPath, file, ...args]);
    const child = watchChild(spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"] }), file);
    this.#beside.add(child);
    return child;
  }

  /** Everything that has been written or deleted since the machine began: `f PATH`, `d PATH`, `l PATH`, `c PATH` for what was deleted. */
  async written(): Promise<readonly string[]> {
    return (await this.shell("cd /mnt/written && find . -mindepth 1 -printf '%y /%P\\n'")).split("\n");
  }

  async dispose(): Promise<void> {
    for (const child of this.#beside) child.kill("SIGTERM");
    await end(this.#unshare);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const MACHINE_ENV = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" };

/** The end of its input ends the machine. */
async function end(unshare: ChildProcess): Promise<void> {
  if (unshare.pid === undefined || unshare.exitCode !== null) return;
  const closed = once(unshare, "close");
  unshare.stdin?.end();
  await closed;
}

function pidOfSystemd(said: readonly string[]): number {
  const parent = /^parent of systemd: (\d+)$/m.exec(said.join(""))?.[1];
  const pid = readdirSync("/proc").find((name) => {
    try {
      return (
        parent !== undefined &&
        new RegExp(`^\\d+ \\(systemd\\) \\S ${parent} `).test(readFileSync(`/proc/${name}/stat`, "utf8"))
      );
    } catch {
      return false; // no process, or it has just ended
    }
  });
  if (pid === undefined) throw new Error("systemd has not started yet");
  return Number(pid);
}
