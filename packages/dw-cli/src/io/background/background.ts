import { mkdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  claimFolder,
  type Env,
  formatListenAddress,
  makePrivateFolder,
  systemClock,
  tryListen,
  userStateDir,
  writeFileAtomically,
} from "@datawire/runtime";
import { stringify } from "yaml";
import { z } from "zod";
import { endOfLog, endProcess, isRunning, type Known, startInBackground } from "./process.ts";

/** What `dw up` starts, in this order. */
const NAMES = ["directory", "router"] as const;
type Name = (typeof NAMES)[number];

const LOOPBACK = "127.0.0.1";
const DIRECTORY_PORT = 5430;
const AMQP_PORT = 5672;
const WEB_PORT = 3423;
const ADMIN_PORT = 5434;

const PORTS: Readonly<Record<Name, readonly number[]>> = {
  directory: [DIRECTORY_PORT],
  router: [AMQP_PORT, WEB_PORT, ADMIN_PORT],
};
const READY: Readonly<Record<Name, string>> = {
  directory: `http://${LOOPBACK}:${DIRECTORY_PORT}/readyz`,
  router: `http://${LOOPBACK}:${ADMIN_PORT}/readyz`,
};
const READY_MS_MAX = 30_000;
/** Another `dw up` or `dw down` may take until its own waits end. */
const TURN_MS_MAX = 60_000;
const LOOK_MS = 50;

const knownSchema = z.object({ pid: z.int().min(1), started: z.string().nullable() });
const stateSchema = z.object({ directory: knownSchema.optional(), router: knownSchema.optional() });
type State = { readonly [name in Name]?: Known | undefined };

/** The directory and the router of this user, in the background. */
export class Background {
  readonly #folder: string;
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
    this.#folder = join(userStateDir(env), "up");
  }

  /** Which of the two run. */
  async running(): Promise<readonly Name[]> {
    return Object.keys(await this.#state()) as Name[];
  }

  /**
   * Starts what does not run, and waits until it is ready.
   * @returns what it has started.
   * @throws Error where a port is taken, or one of them does not start; then it ends what it has started.
   */
  async up(): Promise<readonly Name[]> {
    await makePrivateFolder(this.#folder);
    return this.#inTurn(() => this.#start());
  }

  /** Ends what `up` has started, the router first, and nothing else. @returns what it has ended. */
  async down(): Promise<readonly Name[]> {
    if ((await stat(this.#folder).catch(() => null)) === null) return [];
    return this.#inTurn(() => this.#end());
  }

  /**
   * What `up` has started and nobody has ended by `down`, and does not run all the same.
   * @returns its log; null where there is nothing of the kind.
   */
  async diedWithLog(name: Name): Promise<string | null> {
    const written = await this.#written();
    if (written[name] === undefined || (await isRunning(written[name]))) return null;
    return this.#log(name);
  }

  /** One command at a time: two that began together would each end what the other has started, or lose sight of it. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    for (let waitedMs = 0; waitedMs < TURN_MS_MAX; waitedMs += LOOK_MS) {
      const claim = await claimFolder(this.#folder, "up");
      if (claim.state === "own") return work().finally(claim.release);
      await systemClock.sleep(LOOK_MS);
    }
    throw new Error(`Cannot use ${this.#folder}: another \`dw up\` or \`dw down\` is at work there`);
  }

  async #start(): Promise<readonly Name[]> {
    const before = await this.#state();
    const missing = NAMES.filter((name) => before[name] === undefined);
    if (missing.length === 0) return [];
    for (const name of missing) await requirePorts(name);
    await mkdir(this.#services, { recursive: true, mode: 0o700 });
    let state: State = before;
    const started: Known[] = [];
    const waits: Promise<void>[] = [];
    try {
      for (const name of missing) {
        const log = this.#log(name);
        const { child, known } = await startInBackground(await this.#arguments(name), { log, env: this.#env });
        started.push(known);
        state = { ...state, [name]: known };
        await this.#write(state);
        const ended = new Promise<"ended">((resolve) => child.once("exit", () => resolve("ended")));
        // Neither waits for the other, so that both may take their time at once.
        waits.push(ready(name, ended, log));
      }
      await Promise.all(waits);
    } catch (error) {
      for (const known of started.reverse()) await endProcess(known);
      await Promise.allSettled(waits);
      await this.#write(before);
      throw error;
    }
    return missing;
  }

  async #end(): Promise<readonly Name[]> {
    const state = await this.#state();
    const ended: Name[] = [];
    for (const name of NAMES.toReversed()) {
      const known = state[name];
      if (known === undefined) continue;
      await endProcess(known);
      ended.push(name);
    }
    await rm(this.#file, { force: true });
    return ended;
  }

  /** Lets the router show the page of a service: the folder `web` beside its service file. */
  async show(serviceFile: string): Promise<void> {
    const link = join(this.#services, basename(serviceFile));
    await rm(link, { force: true });
    await symlink(serviceFile, link);
  }

  get #file(): string {
    return join(this.#folder, "up.json");
  }

  get #services(): string {
    return join(this.#folder, "services");
  }

  #log(name: Name): string {
    return join(this.#folder, `${name}.log`);
  }

  /** Those that run: what has ended meanwhile, or is another process by now, does not count. */
  async #state(): Promise<State> {
    const written = await this.#written();
    const found: [Name, Known][] = [];
    for (const name of NAMES) {
      const known = written[name];
      if (known !== undefined && (await isRunning(known))) found.push([name, known]);
    }
    return Object.fromEntries(found);
  }

  async #written(): Promise<State> {
    const text = await readFile(this.#file, "utf8").catch(() => null);
    return stateSchema.safeParse(parsedJson(text)).data ?? {};
  }

  async #write(state: State): Promise<void> {
    await writeFileAtomically(this.#file, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  }

  /** The command line of a daemon that `dw up` starts: with a settings file of its own, not that of the system or the user. */
  async #arguments(name: Name): Promise<string[]> {
    const dataDir = join(this.#folder, name);
    const settings =
      name === "directory"
        ? { host: "localhost", data_dir: dataDir }
        : {
            host: "localhost",
            listen: formatListenAddress({ host: LOOPBACK, port: AMQP_PORT }),
            web: formatListenAddress({ host: LOOPBACK, port: WEB_PORT }),
            admin: formatListenAddress({ host: LOOPBACK, port: ADMIN_PORT }),
            data_dir: dataDir,
            services_dir: this.#services,
            directories: ["//localhost/directory"],
          };
    const file = join(this.#folder, `${name}.yaml`);
    await writeFileAtomically(file, `# Written by dw up.\n${stringify(settings)}`, { mode: 0o600 });
    return [name, "-c", file];
  }
}

async function requirePorts(name: Name): Promise<void> {
  for (const port of PORTS[name]) {
    if ((await tryListen({ host: LOOPBACK, port })) === null) continue;
    const found = `another program listens at ${LOOPBACK}:${port}`;
    throw new Error(`Cannot start the ${name}: ${found}; end that one first (\`ss -ltnp\` names it)`);
  }
}

async function ready(name: Name, ended: Promise<"ended">, log: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_MS_MAX; waitedMs += LOOK_MS) {
    const answered = fetch(READY[name], { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => (ok ? "ready" : "not yet"),
      () => "not yet",
    );
    const found = await Promise.race([answered, ended]);
    if (found === "ready") return;
    if (found === "ended")
      throw new Error(`Cannot start the ${name}: it ended at once; ${log} says\n${await endOfLog(log)}`);
    await systemClock.sleep(LOOK_MS);
  }
  throw new Error(`Cannot start the ${name}: it is not ready after ${READY_MS_MAX / 1_000} s; see ${log}`);
}

function parsedJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
