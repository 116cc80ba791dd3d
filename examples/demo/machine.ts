import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryListen } from "@datawire/runtime";

const ROOT = join(import.meta.dirname, "../..");
/** What `npm run demo` has built before it starts one. */
const BIN = join(ROOT, "build/bin");
/** The ports that the contract names, in the order directory, Watson's admin, traffic, Sherlock's admin. */
const DEFAULT_PORTS = [5430, 5431, 5432, 5433] as const;

export interface Ports {
  readonly directory: number;
  readonly watsonAdmin: number;
  readonly traffic: number;
  readonly sherlockAdmin: number;
}

/** A machine of the demo: a folder for its files, and the processes on it, which all end with it. */
export class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), "dstack-demo-"));
  readonly env: NodeJS.ProcessEnv;
  readonly #running = new Map<string, ChildProcess>();

  constructor() {
    // Settings and state of the user stay out of the demo, and the demo's out of theirs.
    this.env = {
      ...process.env,
      XDG_STATE_HOME: join(this.folder, "state"),
      XDG_CONFIG_HOME: join(this.folder, "config"),
    };
    mkdirSync(this.servicesFolder);
  }

  get servicesFolder(): string {
    return join(this.folder, "datawire.d");
  }

  /** Starts a program of dstack under its own name; what it prints goes to a file beside the others'. */
  startProgram(name: string, args: readonly string[]): void {
    this.#start(name, join(BIN, name), args);
  }

  /** Starts an example of this checkout, from its sources. */
  start(name: string, file: string, args: readonly string[]): void {
    this.#start(name, process.execPath, [join(ROOT, file), ...args]);
  }

  #start(name: string, command: string, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), "a", 0o600);
    this.#running.set(name, spawn(command, args, { env: this.env, stdio: ["ignore", log, log] }));
  }

  /** Ends a process at once, as a crash would. */
  async kill(name: string): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) throw new Error(`Cannot kill ${name}: it was not started`);
    this.#running.delete(name);
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** How a process ended that nobody has killed by `kill`; null while it runs. */
  ended(name: string): string | null {
    const { exitCode = null, signalCode = null } = this.#running.get(name) ?? {};
    if (exitCode === null && signalCode === null) return null;
    return `${name} has ended ${signalCode === null ? `with ${exitCode}` : `by ${signalCode}`}`;
  }

  /** What a process printed so far; for the message when something did not come up. */
  log(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), "utf8");
  }

  /**
   * Runs `dw` as a user would and returns what it prints.
   * @param wanted its exit code
   * @param told what it prints, as it does
   */
  async dw(args: readonly string[], wanted = 0, told: (text: string) => void = () => {}): Promise<string> {
    const child = spawn(join(BIN, "dw"), args, { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        parts.push(chunk);
        told(chunk.toString());
      });
    }
    const [code] = (await once(child, "close")) as [number | null];
    const output = Buffer.concat(parts).toString();
    if (code !== wanted) throw new Error(`dw ${args.join(" ")} ended with ${code}: ${output}`);
    return output;
  }

  /** Ends everything. Sherlock alone is asked, since its HAProxy ends with it; nobody needs the others' farewells. */
  async stop(): Promise<void> {
    const running = [...this.#running].filter(([, child]) => child.exitCode === null && child.signalCode === null);
    const ended = running.map(([, child]) => once(child, "exit"));
    for (const [name, child] of running) child.kill(name === "sherlock" ? "SIGTERM" : "SIGKILL");
    await Promise.all(ended);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A port where it is free, else another one. */
export async function portNear(port: number): Promise<number> {
  return (await tryListen({ host: "127.0.0.1", port })) === null ? port : ((await anyPorts(1))[0] as number);
}

/** The ports of the contract, or others where one of those is taken. */
export async function choosePorts(): Promise<{ ports: Ports; usual: boolean }> {
  const tries = await Promise.all(DEFAULT_PORTS.map((port) => tryListen({ host: "127.0.0.1", port })));
  const usual = tries.every((error) => error === null);
  const [directory, watsonAdmin, traffic, sherlockAdmin] = usual
    ? DEFAULT_PORTS
    : ((await anyPorts(4)) as [number, number, number, number]);
  return { ports: { directory, watsonAdmin, traffic, sherlockAdmin }, usual };
}

/** Below the range from which the system takes ports for outgoing connections: one of those may have it a moment later. */
const [LOWEST, HIGHEST] = [10_000, 29_999];

/** Ports that are free, and different from each other. */
export async function anyPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if ((await tryListen({ host: "127.0.0.1", port })) === null) ports.add(port);
  }
  return [...ports];
}
