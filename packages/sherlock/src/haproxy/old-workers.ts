import type { Clock, Logger } from "@datawire/runtime";
import { type MasterState, parseSessions } from "../core/observe/answers.ts";
import { isRunning } from "./processes.ts";
import type { RuntimeApi } from "./runtime-api.ts";

const POLL_MS = 5;
/** What a busy machine keeps from being heard is repeated for so long: three questions that nobody answers. */
const HEARS_MS_MAX = 15_000;

/** How the workers of earlier configurations are reached. */
export interface OldWorkersDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** The socket of the master, which passes on what begins with `@!PID`. */
  readonly master: RuntimeApi;
  /** What the master says of its workers, waited for where it is busy, until it is over; null when it cannot be had. */
  readonly state: (patience?: { readonly isOver: () => boolean }) => Promise<MasterState | null>;
  /** Whether the master has ended, so that there is nobody to ask. */
  readonly hasEnded: () => boolean;
}

/** The workers of earlier configurations: they take no new connections, and serve those that they have. */
export class OldWorkers {
  readonly #deps: OldWorkersDeps;
  /** Those that know that they are. */
  #retired: ReadonlySet<number> = new Set();

  constructor(deps: OldWorkersDeps) {
    this.#deps = deps;
  }

  /** How many there are. */
  async count(): Promise<number> {
    return (await this.#deps.state({ isOver: () => true }))?.oldWorkers.length ?? 0;
  }

  /**
   * Waits until they take no more connections, on the runtime socket least of all, and tells each of them some commands,
   * once. Whom they do not reach is told with the next reload.
   */
  async retire(commands: readonly string[]): Promise<void> {
    const tried = new Set<number>();
    const told = new Set(this.#retired);
    // Looked at again after each one: a worker may be replaced meanwhile.
    for (;;) {
      const old = await this.#pids();
      this.#retired = new Set(old.filter((pid) => told.has(pid)));
      const next = old.find((pid) => !told.has(pid) && !tried.has(pid));
      if (next === undefined) return;
      tried.add(next);
      if (await this.#retireOne(next, commands)) told.add(next);
      else if (isRunning(next)) this.#deps.log.warn("A replaced worker of HAProxy has not heard of it", { pid: next });
    }
  }

  /** Ends what they still serve by some servers. */
  async cutSessions(isServer: (server: string) => boolean): Promise<void> {
    for (const pid of await this.#pids()) {
      // There the server cannot be named any more, only each of its sessions; and it may have ended meanwhile.
      const sessions = parseSessions((await this.#ask(pid, "show sess")) ?? "");
      for (const { id } of sessions.filter(({ server }) => isServer(server))) {
        await this.#ask(pid, `shutdown session ${id}`);
      }
    }
  }

  async #retireOne(pid: number, commands: readonly string[]): Promise<boolean> {
    const isStopping = async (): Promise<boolean> => /^Stopping: 1/m.test((await this.#ask(pid, "show info")) ?? "");
    // It has been told to before its successor started.
    if (!(await this.#untilTrue(pid, isStopping))) return false;
    for (const command of commands) {
      const isTold = async (): Promise<boolean> => (await this.#ask(pid, command)) !== null;
      if (!(await this.#untilTrue(pid, isTold))) return false;
    }
    return true;
  }

  async #untilTrue(pid: number, isTrue: () => Promise<boolean>): Promise<boolean> {
    const { clock, hasEnded } = this.#deps;
    const untilMs = clock.monotonicMs() + HEARS_MS_MAX;
    while (!(await isTrue())) {
      if (!isRunning(pid) || hasEnded() || clock.monotonicMs() > untilMs) return false;
      await clock.sleep(POLL_MS);
    }
    return true;
  }

  /** What a worker answers; null without an answer. */
  async #ask(pid: number, command: string): Promise<string | null> {
    return this.#deps.master.ask(`@!${pid} ${command}`).catch(() => null);
  }

  async #pids(): Promise<readonly number[]> {
    return (await this.#deps.state())?.oldWorkers ?? [];
  }
}
