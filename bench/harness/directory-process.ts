import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import { sleep } from "../../e2e/harness/wait.ts";

const MAIN = join(import.meta.dirname, "../../packages/directory/src/main.ts");

/** What `GET /v1/status` says, as far as benches look at it. */
interface Status {
  readonly directory: { readonly epoch: string; readonly revision: number; readonly state: string };
  readonly counts: { readonly instances: number };
}

/** A directory in a process of its own, on one port and in one folder through all its lives. */
export class DirectoryProcess {
  readonly port: number;
  readonly address: DirectoryAddress;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.address = parseDirectoryAddress(`//127.0.0.1:${port}/directory`);
    this.#folder = folder;
    this.#args = args;
  }

  /** One that is not started yet. @param settings its `directory.yaml`, which JSON is as well. */
  static async create(port: number, settings: object = {}): Promise<DirectoryProcess> {
    const folder = await mkdtemp(join(tmpdir(), "directory-bench-"));
    const file = join(folder, "directory.yaml");
    await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
    const args = ["-n", "localhost", "-p", String(port), "--data-dir", folder, "-c", file, "--log-level", "error"];
    return new DirectoryProcess(port, folder, args);
  }

  get pid(): number {
    return this.#child?.pid ?? Number.NaN;
  }

  /** Starts it; resolves once it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, ...this.#args], { stdio: "inherit" });
    this.#child = child;
    // It must not outlive a bench that ends by an error.
    process.once("exit", () => child.kill("SIGKILL"));
    const end = performance.now() + 60_000;
    while (performance.now() < end) {
      const response = await fetch(`http://127.0.0.1:${this.port}/readyz`).catch(() => null);
      if (response?.ok === true) return;
      await sleep(20);
    }
    throw new Error("Cannot measure: the directory was not ready within 60 s");
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.#change("POST", path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.#change("PUT", path, body);
  }

  status(): Promise<Status> {
    return this.get("/v1/status");
  }

  /** The most memory that it had since its start. */
  async peakMb(): Promise<number> {
    return (await this.#statusField("VmHWM")) / 1_024;
  }

  async memoryMb(): Promise<number> {
    return (await this.#statusField("VmRSS")) / 1_024;
  }

  /** How long it has computed since its start. */
  async cpuMs(): Promise<number> {
    const stat = await readFile(`/proc/${this.pid}/stat`, "utf8");
    // Fields 14 and 15 of proc(5), counted from behind the name, which may hold blanks; in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** How much it has had written to disk since its start. */
  async writtenBytes(): Promise<number> {
    return Number(/^write_bytes: (\d+)$/m.exec(await readFile(`/proc/${this.pid}/io`, "utf8"))?.[1]);
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #change<T>(method: string, path: string, body: object): Promise<T> {
    const headers = { "content-type": "application/json" };
    const init = { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async #statusField(name: string): Promise<number> {
    const text = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]);
  }
}
