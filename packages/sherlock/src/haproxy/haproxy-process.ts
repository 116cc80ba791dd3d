import { spawn } from "node:child_process";
import { type Clock, explainSystemError, type Logger, openForAppending } from "@datawire/runtime";
import { type MasterState, parseDescription, parseReload, parseShowProc } from "../core/observe/answers.ts";
import { describeExit, isRunning, signal } from "./processes.ts";
import { openForWriting } from "./log-pipe.ts";
import { OldWorkers } from "./old-workers.ts";
import { lastAlerts, trimFiles } from "./output-files.ts";
import type { RunDir } from "./run-dir.ts";
import { createMasterApi, createRuntimeApi, type RuntimeApi } from "./runtime-api.ts";

/** The HAProxy to run, and where. */
export interface HaproxyProcessConfig {
  /** The program. */
  readonly command: string;
  readonly dir: RunDir;
  /** Whether the configuration has the runtime socket, which a user's template may leave out. */
  readonly runtimeSocket: boolean;
}

/** What watching over an HAProxy works with. */
export interface HaproxyProcessDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** A version of the configuration is up after a start or reload within this, or the reload has failed. */
const UP_MS_MAX = 10_000;
/** A request to reload that came while the master was busy is lost without a word: it is repeated. */
const REPEAT_MS = 1_000;
const POLL_MS = 5;
/** HAProxy closes its ports within a moment; what is open may go on for long. */
const PORTS_CLOSED_MS = 1_000;
/** For less than so long after a start or a reload the master takes no questions, on a busy machine too. */
const MASTER_MS_MAX = 5_000;
/** How often a process that is not our child is looked at; its death has to be mended within 150 ms. */
const WATCH_MS = 40;

/** The HAProxy of this Sherlock: a master with its workers. It outlives Sherlock, whose next start adopts it. */
export class HaproxyProcess {
  readonly #config: HaproxyProcessConfig;
  readonly #deps: HaproxyProcessDeps;
  readonly #master: RuntimeApi;
  readonly runtime: RuntimeApi;
  #pid: number | null = null;
  /** The process that was started or adopted, from its first moment to its last, unless it was left to another. */
  #own: number | null = null;
  #workers: readonly number[] = [];
  /** The workers of earlier configurations. */
  readonly oldWorkers: OldWorkers;
  #stopWatching: () => void = () => {};
  readonly #deathListeners: ((reason: string) => void)[] = [];

  constructor(config: HaproxyProcessConfig, deps: HaproxyProcessDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#master = createRuntimeApi(config.dir.sockets.master);
    const { master, runtime } = config.dir.sockets;
    this.runtime = config.runtimeSocket ? createRuntimeApi(runtime) : createMasterApi(master);
    this.oldWorkers = new OldWorkers({
      ...deps,
      master: this.#master,
      state: (patience) => this.#patientState(patience),
      hasEnded: () => this.#pid === null,
    });
  }

  /** Asks to be told, with the reason, when the process has ended without being told to. */
  onDeath(listener: (reason: string) => void): void {
    this.#deathListeners.push(listener);
  }

  /** Whether the configuration has the runtime socket. */
  get runtimeSocket(): boolean {
    return this.#config.runtimeSocket;
  }

  get pid(): number | null {
    return this.#pid;
  }

  /** Takes over an HAProxy that an earlier Sherlock left; null when there is none. @returns the version of its configuration. */
  async adopt(): Promise<string | null> {
    let state = await this.#state();
    const configVersion = await this.#configVersion();
    if (configVersion === null) return null;
    // A worker that answers has a master, which may just be starting itself anew.
    state ??= await this.#patientState({ isOver: () => false });
    if (state === null || !isRunning(state.pid)) return null;
    this.#follow(state.pid);
    this.#workers = state.workers;
    return configVersion;
  }

  /** Starts HAProxy with the configuration in place. @throws Error with what HAProxy said. */
  async start(configVersion: string): Promise<void> {
    const { dir, command } = this.#config;
    await trimFiles(this.#config.dir);
    const errors = await openForAppending(dir.errors);
    // Open whether or not something is logged: a reload may turn the access log on. Not the file itself, since HAProxy
    // would hold it under whichever name it was given, and writes where it was though it was emptied.
    const output = await openForWriting(dir.accessPipe).catch(() => openForAppending(dir.accessLog));
    // The same; and as the file of that number, HAProxy must never find one of its own.
    const latencies = await openForWriting(dir.latencies).catch(() => null);
    const spans = await openForWriting(dir.spans).catch(() => null);
    // A group of its own, so that Ctrl-C reaches Sherlock alone, which then drains it. No pipe for its
    // errors: one that nobody reads would stop it. Of what it logs, it drops what finds no room.
    const child = spawn(command, ["-W", "-S", `${dir.sockets.master},mode,600`, "-f", dir.config], {
      detached: true,
      stdio: ["ignore", output.fd, errors.fd, latencies?.fd ?? "ignore", spans?.fd ?? "ignore"],
    });
    const end: { reason: string | null } = { reason: null };
    const exit = new Promise<void>((resolve) => {
      const ended = (reason: string): void => {
        end.reason = reason;
        resolve();
      };
      child.once("error", (error) => ended(explainSystemError(error)));
      child.once("exit", (code, signal) => ended(describeExit(code, signal)));
    });
    child.unref();
    this.#own = child.pid ?? null;
    await errors.close();
    await output.close();
    await latencies?.close();
    await spans?.close();
    const up = await this.#waitFor(configVersion, { over: () => end.reason !== null });
    if (!up) {
      const why = end.reason === null ? `it did not answer within ${UP_MS_MAX} ms` : `it ended with ${end.reason}`;
      child.kill("SIGKILL");
      this.#own = null;
      throw new Error(`Cannot start HAProxy: ${why}${await lastAlerts(this.#config.dir)}`);
    }
    const pid = child.pid as number;
    this.#pid = pid;
    void exit.then(async () => {
      // What a signal ends has no time to say why.
      const said = child.exitCode === null ? "" : await lastAlerts(dir, pid);
      this.#died(pid, `${end.reason ?? "an unknown reason"}${said}`);
    });
    this.#workers = (await this.#state())?.workers ?? [];
  }

  /**
   * Makes HAProxy read its configuration again, and resolves when a new worker runs it. Never called twice at once: a
   * reload that is asked for during another is lost.
   * @throws Error when the old worker goes on instead.
   */
  async reload(configVersion: string): Promise<void> {
    await trimFiles(this.#config.dir);
    const before = await this.#patientState();
    let heard = false;
    for (let attempt = 0; attempt * REPEAT_MS < UP_MS_MAX; attempt++) {
      // Before 2.7 the master breaks off its answer when it starts anew, and only looking tells how it went.
      const said = heard ? null : parseReload(await this.#master.ask("reload").catch(() => ""));
      if (said?.ok === false) throw new Error(`Cannot reload HAProxy: it refused (${said.alerts})`);
      let failed = false;
      const over = async (): Promise<boolean> => {
        const state = await this.#state();
        // No word is from a master that is at it: a second request would replace the worker that the first one brings.
        heard = state === null || state.reloads > (before?.reloads ?? 0);
        failed = state !== null && state.failed > (before?.failed ?? 0);
        return failed;
      };
      if (await this.#waitFor(configVersion, { over, limitMs: REPEAT_MS })) {
        this.#workers = (await this.#state())?.workers ?? [];
        return;
      }
      if (failed) throw new Error(`Cannot reload HAProxy: it refused${await lastAlerts(this.#config.dir)}`);
      if (this.#pid === null) throw new Error("Cannot reload HAProxy: it has ended");
    }
    throw new Error(`Cannot reload HAProxy: the new worker did not come up within ${UP_MS_MAX} ms`);
  }

  /**
   * Ends what a server that takes no new requests still serves, in workers of earlier configurations too.
   * @param isSame whether a server of such a worker is this one.
   */
  async cutSessions(server: string, isSame: (other: string) => boolean): Promise<void> {
    await this.runtime.run([`shutdown sessions server ${server}`]);
    await this.oldWorkers.cutSessions(isSame);
  }

  /** Lets open requests end, then ends HAProxy. */
  async stop(drainMs: number): Promise<void> {
    const pid = this.#pid;
    this.leave();
    if (pid === null) return;
    this.#own = pid;
    signal(pid, "SIGUSR1");
    if (!(await this.#gone(pid, drainMs))) {
      signal(pid, "SIGTERM");
      if (!(await this.#gone(pid, 2_000))) signal(pid, "SIGKILL");
    }
    this.#own = null;
  }

  /** Ends HAProxy now, whatever it serves, also while it starts or drains. */
  kill(): void {
    if (this.#own !== null) signal(this.#own, "SIGTERM");
  }

  /** Has it close its ports, and end when its open requests have, for which nobody waits. */
  async giveWay(): Promise<void> {
    const pid = this.#pid;
    this.leave();
    if (pid === null) return;
    signal(pid, "SIGUSR1");
    await this.#gone(pid, PORTS_CLOSED_MS);
  }

  /** Leaves HAProxy to itself. */
  leave(): void {
    this.#stopWatching();
    this.#pid = null;
    this.#own = null;
  }

  /** Ends what a master that died has left behind, so that the ports are free; open requests may end. */
  releasePorts(): void {
    for (const worker of this.#workers) if (isRunning(worker)) signal(worker, "SIGUSR1");
  }

  #follow(pid: number): void {
    this.#pid = pid;
    this.#own = pid;
    let cancel = (): void => {};
    const look = (): void => {
      if (this.#pid !== pid) return;
      if (isRunning(pid)) cancel = this.#deps.clock.setTimer(WATCH_MS, look);
      else this.#died(pid, "a reason that is not known, as an earlier Sherlock had started it");
    };
    look();
    this.#stopWatching = () => cancel();
  }

  #died(pid: number, reason: string): void {
    if (this.#pid !== pid) return;
    this.#pid = null;
    this.#own = null;
    for (const listener of this.#deathListeners) listener(reason);
  }

  async #waitFor(
    configVersion: string,
    { over, limitMs = UP_MS_MAX }: { readonly over: () => boolean | Promise<boolean>; readonly limitMs?: number },
  ): Promise<boolean> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + limitMs;
    for (;;) {
      if ((await this.#configVersion()) === configVersion) return true;
      if ((await over()) || clock.monotonicMs() > untilMs) return false;
      await clock.sleep(POLL_MS);
    }
  }

  async #configVersion(): Promise<string | null> {
    const answer = await this.runtime.ask("show info").catch(() => null);
    const description = answer === null ? null : parseDescription(answer);
    return description?.startsWith("sherlock ") === true ? description.slice("sherlock ".length) : null;
  }

  async #state(): Promise<MasterState | null> {
    const answer = await this.#master.ask("show proc").catch(() => null);
    return answer === null ? null : parseShowProc(answer);
  }

  /** @param isOver whether there is none to wait for; by default once the process has ended. */
  async #patientState({ isOver = () => this.#pid === null } = {}): Promise<MasterState | null> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + MASTER_MS_MAX;
    for (;;) {
      const state = await this.#state();
      if (state !== null || isOver() || clock.monotonicMs() > untilMs) return state;
      await clock.sleep(POLL_MS);
    }
  }

  async #gone(pid: number, limitMs: number): Promise<boolean> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + limitMs;
    while (isRunning(pid)) {
      if (clock.monotonicMs() > untilMs) return false;
      await clock.sleep(20);
    }
    return true;
  }
}
