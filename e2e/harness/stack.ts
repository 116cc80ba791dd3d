import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { request as requestTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ApiClient, createApiClient, endpoints, type RouteAdd } from "@datawire/api";
import { stringify } from "yaml";
import { type Child, startChild } from "./child.ts";
import { freePorts } from "@datawire/runtime/testing";
import { programFile } from "./programs.ts";
import { haproxiesOf, killProcessesOf, parentOf } from "./processes.ts";
import { sumOfSamples } from "./samples.ts";
import { eventually } from "./wait.ts";

/** How scenarios check. */
export const PACE_OF_CHECKS = { interval: "250ms", rise: 1, fall: 2, recheck: "20ms" };

/** Settings of a Watson whose instances do not die: to check dozens of them all the time costs more than what is asked of them. */
export const CHECKED_SELDOM = { defaults: { liveness: { ...PACE_OF_CHECKS, interval: "2s", timeout: "30s" } } };

/** Of so many requests in a row each share of a tenth and more has one. */
const ASKED_MIN = 20;

/** A bound for a command that hangs. */
const HANGS_MS = 120_000;

const ROOT = join(import.meta.dirname, "../..");

export interface Instance {
  readonly child: Child;
  readonly name: string;
  readonly port: number;
  readonly url: string;
  /** Makes its liveness check fail, or pass again. */
  sick(yes: boolean): Promise<void>;
}

export interface DwResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface InstanceOptions {
  readonly service: string;
  readonly name: string;
  readonly version?: string;
  /** Further keys of its service file. */
  readonly file?: Readonly<Record<string, unknown>>;
  readonly port?: number;
  /** On how many addresses of loopback it listens, from 127.0.0.1; default 1. */
  readonly addresses?: number;
  /** Each so many-th request is answered with 500. */
  readonly failEvery?: number;
}

/**
 * The whole of dstack on one machine, in a folder and on ports of its own: real processes that a test starts, breaks
 * and starts again. `dispose` ends every one of them.
 */
export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), "dstack-e2e-"));
  readonly #children = new Set<Child>();
  readonly #env: NodeJS.ProcessEnv;
  /** What `dw` and `api` prove themselves with. */
  token: string | null = null;
  /** Whether the directory answers over TLS alone, as beyond loopback; `api` takes whatever certificate it has. */
  isOverTls = false;
  /**
   * The HTTP interface of this stack's directory, which `dw` uses too: for what a test only brings about or waits for. To
   * start `dw` takes more CPU than all that the directory does for it.
   */
  readonly api: ApiClient = createApiClient((method, path, body) => this.#ask(method, path, body));
  #ports: Promise<{ directory: number; traffic: number; admin: number; watson: number }> | null = null;

  constructor() {
    const { PATH, LANG, TMPDIR, NODE_COMPILE_CACHE } = process.env;
    const home = join(this.folder, "home");
    mkdirSync(home);
    this.#env = {
      PATH,
      LANG,
      TMPDIR,
      NODE_COMPILE_CACHE,
      HOME: home,
      XDG_STATE_HOME: join(home, "state"),
      XDG_RUNTIME_DIR: join(home, "run"),
    };
    for (const name of ["state", "run"]) mkdirSync(join(home, name), { mode: 0o700 });
    mkdirSync(this.serviceFolder);
  }

  /** Where the service files of this machine are. */
  get serviceFolder(): string {
    return join(this.folder, "datawire.d");
  }

  ports(): Promise<{ directory: number; traffic: number; admin: number; watson: number }> {
    // The same ones for all who ask while they are looked for.
    this.#ports ??= freePorts(4).then((ports) => {
      const [directory, traffic, admin, watson] = ports as [number, number, number, number];
      return { directory, traffic, admin, watson };
    });
    return this.#ports;
  }

  async directoryAddress(): Promise<string> {
    return `//localhost:${(await this.ports()).directory}/directory`;
  }

  /** The URL at which a legacy application calls a service. */
  async url(path: string): Promise<string> {
    return `http://127.0.0.1:${(await this.ports()).traffic}${path}`;
  }

  async startDirectory(args: readonly string[] = [], settings: Readonly<Record<string, unknown>> = {}): Promise<Child> {
    const { directory } = await this.ports();
    const file = this.#write("directory.yaml", stringify(settings));
    return this.#daemon("directory", [
      "-n",
      "localhost",
      "-p",
      String(directory),
      "--data-dir",
      join(this.folder, "directory"),
      "-c",
      file,
      ...args,
    ]);
  }

  /** The Watson of this machine, with its folder of service files. */
  async startWatson(settings: Readonly<Record<string, unknown>> = {}): Promise<Child> {
    const { watson } = await this.ports();
    const file = await this.writeWatsonSettings(settings);
    // The command line would win over the settings.
    const data = "data_dir" in settings ? [] : ["--data-dir", join(this.folder, "watson")];
    return this.#daemon("watson", ["-c", file, "--admin", `127.0.0.1:${watson}`, ...data]);
  }

  /** Writes the settings of this machine's Watson, which takes them at its start or at SIGHUP. */
  async writeWatsonSettings(settings: Readonly<Record<string, unknown>>): Promise<string> {
    return this.#write(
      "watson.yaml",
      stringify({
        directories: [await this.directoryAddress()],
        services: [this.serviceFolder],
        host: "127.0.0.1",
        // Scenarios are scaled: a check a quarter of a second instead of one every three. An instance that gets no turn on a
        // busy machine is not frozen; scenarios of frozen ones say how long those have.
        defaults: { liveness: { ...PACE_OF_CHECKS, timeout: "30s" } },
        ...settings,
      }),
    );
  }

  /** Starts the agent of this machine, without waiting for it; its parts have their folders in `agent`. */
  async startAgent(...args: readonly string[]): Promise<Child> {
    const { watson, traffic } = await this.ports();
    const files = ["--watson-config", await this.writeWatsonSettings({})];
    files.push("--sherlock-config", this.writeSherlockSettings({ directories: await this.directoryAddress() }));
    const folders = ["--run-dir", join(this.folder, "run"), "--data-dir", join(this.folder, "agent")];
    const ports = ["--listen", `127.0.0.1:${traffic}`, "--admin", `127.0.0.1:${watson}`];
    return this.start("agent", [...files, ...folders, ...ports, "--log-format", "json", ...args]);
  }

  async startSherlock(args: readonly string[] = [], settings: Readonly<Record<string, unknown>> = {}): Promise<Child> {
    const { traffic, admin } = await this.ports();
    const file = this.writeSherlockSettings(settings);
    return this.#daemon("sherlock", [
      "-d",
      await this.directoryAddress(),
      "-c",
      file,
      "--listen",
      `127.0.0.1:${traffic}`,
      "--admin",
      `127.0.0.1:${admin}`,
      "--run-dir",
      join(this.folder, "run"),
      ...args,
    ]);
  }

  /** Writes the settings of this machine's Sherlock, which takes them at its start or at SIGHUP. */
  writeSherlockSettings(settings: Readonly<Record<string, unknown>>): string {
    return this.#write("sherlock.yaml", stringify({ name: "monolith", ...settings }));
  }

  /** Starts any program of the checkout with this stack's environment, without waiting for it. */
  start(
    name: "agent" | "directory" | "watson" | "sherlock" | "router" | "dw",
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Child {
    return this.#track(startChild(programFile(name), args, { ...this.#env, ...env }));
  }

  /** Starts a program of `e2e/fixtures`, without waiting for it. */
  startFixture(file: string, args: readonly string[]): Child {
    return this.#track(startChild(join(ROOT, "e2e/fixtures", file), args, this.#env));
  }

  /** Starts a program of `examples`, without waiting for it. */
  startExample(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
    return this.#track(startChild(join(ROOT, "examples", file), args, { ...this.#env, ...env }));
  }

  /** Starts an instance and puts its service file into the folder. */
  async startInstance({
    service,
    name,
    version = "1",
    file = {},
    port = 0,
    addresses = 1,
    failEvery = 0,
  }: InstanceOptions): Promise<Instance> {
    const args = [
      "--name",
      name,
      "--version",
      version,
      "--port",
      String(port),
      "--addresses",
      String(addresses),
      "--fail-every",
      String(failEvery),
    ];
    const child = this.#track(startChild(join(ROOT, "e2e/fixtures/instance.ts"), args, this.#env));
    const line = await child.line((text) => text.startsWith("listening on "));
    const actual = Number(line.slice("listening on ".length));
    const url = `http://127.0.0.1:${actual}`;
    this.writeServiceFile(name, { service: `//${service}`, version, url, instance: name, drain: "500ms", ...file });
    const sick = async (yes: boolean): Promise<void> => {
      await fetch(`${url}/${yes ? "sick" : "well"}`, { method: "PUT" });
    };
    return { child, name, port: actual, url, sick };
  }

  writeServiceFile(name: string, content: unknown): void {
    writeFileSync(join(this.serviceFolder, `${name}.yaml`), typeof content === "string" ? content : stringify(content));
  }

  removeServiceFile(name: string): void {
    rmSync(join(this.serviceFolder, `${name}.yaml`));
  }

  /** Runs `dw` against this stack's directory. */
  async dw(...args: readonly string[]): Promise<DwResult> {
    const all = [programFile("dw"), "-d", await this.directoryAddress(), ...args];
    return new Promise((resolve) => {
      const env = { ...this.#env, ...(this.token === null ? {} : { DATAWIRE_TOKEN: this.token }) };
      execFile(process.execPath, all, { env, timeout: HANGS_MS }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** Runs `dw` and takes its JSON; throws with what it said when it failed. */
  async dwJson<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.dw(...args, "--json");
    if (code !== 0) throw new Error(`dw ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Adds or changes a route, as `dw route add` would. */
  async addRoute(source: string, target: string, percent?: string, more: Partial<RouteAdd> = {}): Promise<void> {
    const body = { source, target, ...(percent === undefined ? {} : { percent }), ...more };
    await this.api.ask(endpoints.addRoute, { body });
  }

  async #ask(method: string, path: string, body: unknown): Promise<unknown> {
    const { directory: port } = await this.ports();
    const authorization = this.token === null ? {} : { authorization: `Bearer ${this.token}` };
    const sends = body === undefined ? "" : JSON.stringify(body);
    // By itself Node says no length of the body of a DELETE.
    const length = { "content-type": "application/json", "content-length": Buffer.byteLength(sends) };
    const headers = { ...(body === undefined ? {} : length), ...authorization };
    const options = { host: "127.0.0.1", port, path, method, headers, agent: false, rejectUnauthorized: false };
    const sent = this.isOverTls ? requestTls(options) : request(options);
    sent.end(sends);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const answer = await text(response);
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`);
    return JSON.parse(answer) as unknown;
  }

  /** Waits until a service answers through Sherlock from exactly these instances. */
  async reaches(service: string, instances: readonly string[]): Promise<void> {
    const url = await this.url(`/${service}/`);
    await eventually(async () => {
      const seen = new Set<string>();
      for (let i = 0; i < Math.max(ASKED_MIN, instances.length * 3); i++) {
        const name = await instanceAt(url);
        seen.add(name);
        if (!instances.includes(name)) break; // whatever else answers, these are not all
      }
      if ([...seen].sort().join() !== [...instances].sort().join()) {
        throw new Error(`wanted ${instances.join(", ")}; ${service} is answered by ${[...seen].join(", ")}`);
      }
    });
  }

  /** Reads from the directory, as `dw` would but without starting it: for conditions that are asked again and again. */
  async read<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${(await this.ports()).directory}${path}`);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Waits until the directory lists exactly these instances of a service, by name, in these states. */
  async lists(service: string, wanted: Readonly<Record<string, string>>): Promise<void> {
    await eventually(async () => {
      const { services } = await this.read<{ services: ListedService[] }>("/v1/services");
      const listed = services.find((one) => one.service === service)?.instances ?? [];
      const found = Object.fromEntries(listed.map(({ name, state }) => [name, state]));
      if (JSON.stringify(sorted(found)) !== JSON.stringify(sorted(wanted))) {
        throw new Error(`wanted ${JSON.stringify(wanted)} of ${service}, found ${JSON.stringify(found)}`);
      }
    });
  }

  /**
   * Waits until every Sherlock follows the last revision of the directory: what is asked from then on meets no change in
   * the middle.
   */
  async followed(): Promise<void> {
    await eventually(async () => {
      const { sherlocks } = await this.read<{ sherlocks: { lag: number }[] }>("/v1/status");
      const behind = sherlocks.filter(({ lag }) => lag !== 0);
      if (sherlocks.length === 0 || behind.length > 0) throw new Error(`not followed: ${JSON.stringify(sherlocks)}`);
    });
  }

  /** A value of a program's metrics, such as `datawire_sherlock_reloads_total`, summed over its labels. */
  async metric(of: "sherlock" | "watson" | "directory", name: string): Promise<number> {
    const text = await this.#metrics(of);
    // A counter with labels has no sample before its first event, but its help is always there.
    if (!text.includes(`# HELP ${name} `)) throw new Error(`${of} has no metric ${name}`);
    return sumOfSamples(text, name);
  }

  /** A part of a histogram, such as its `_count`. */
  async sample(of: "sherlock" | "watson" | "directory", name: string): Promise<number> {
    return sumOfSamples(await this.#metrics(of), name);
  }

  async #metrics(of: "sherlock" | "watson" | "directory"): Promise<string> {
    const ports = await this.ports();
    const port = { sherlock: ports.admin, watson: ports.watson, directory: ports.directory }[of];
    return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  }

  async dispose(): Promise<void> {
    // Ending well is what scenarios test; a clean-up only has to be quick and complete.
    const running = [...this.#children].filter((child) => child.running());
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(running.map((child) => child.exited));
    // A HAProxy outlives a Sherlock that was killed, on purpose; what still runs in this folder ends with the stack.
    killProcessesOf(this.folder);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #daemon(name: "directory" | "watson" | "sherlock", args: readonly string[]): Promise<Child> {
    const child = this.start(name, [...args, "--log-format", "json"]);
    await child.line((line) => /is ready"/.test(line));
    return child;
  }

  /** The HAProxy processes of this stack, masters and workers. */
  haproxyPids(): number[] {
    return haproxiesOf(this.folder);
  }

  /** Those of a HAProxy that is not in the middle of a reload: one master, and one worker. The master is the first. */
  async settledHaproxy(): Promise<readonly [master: number, worker: number]> {
    return eventually(() => {
      const pids = this.haproxyPids();
      const master = pids.find((pid) => pids.every((other) => other === pid || parentOf(other) === pid));
      if (pids.length !== 2 || master === undefined)
        throw new Error(`wanted a master and its worker, found ${pids.join()}`);
      return [master, pids.find((pid) => pid !== master) as number] as const;
    });
  }

  #track(child: Child): Child {
    this.#children.add(child);
    return child;
  }

  #write(name: string, content: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, content);
    chmodSync(file, 0o600);
    return file;
  }
}

interface ListedService {
  readonly service: string;
  readonly instances: readonly { readonly name: string; readonly state: string }[];
}

function sorted(states: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(states).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The instance that answers a URL, or the status of an answer that no instance gave. */
export async function instanceAt(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(url, { headers });
  const body = await response.text();
  return response.ok ? (JSON.parse(body) as { instance: string }).instance : String(response.status);
}
