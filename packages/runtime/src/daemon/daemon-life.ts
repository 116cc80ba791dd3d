import type { ReportedProblem } from "@datawire/protocol";
import { createAttentiveClock } from "../time/attentive-clock.ts";
import type { Clock } from "../time/clock.ts";
import { ConfigError, formatProblem } from "../config/problem.ts";
import type { DaemonInput } from "./daemon-input.ts";
import type { ProcessLike, SignalName } from "./daemon-process.ts";
import { describeError } from "../errors/describe-error.ts";
import { type ExitCode, exitCodes } from "../errors/exit-codes.ts";
import type { Logger } from "../log/log.ts";
import { ProblemBoard } from "../problems/problem-board.ts";
import { createNotifier, type Notifier } from "./notify.ts";
import { type Readiness, createReadiness } from "./ready.ts";

/** What a daemon gets to run with. */
export interface DaemonContext<Settings> {
  readonly settings: Settings;
  readonly input: DaemonInput;
  readonly log: Logger;
  readonly clock: Clock;
  /** Counts only time in which this process was able to handle events: the silence of others is judged by it. */
  readonly attentive: Clock;
  /** What an operator should see of this program in `dw status`. */
  readonly board: ProblemBoard;
  /** Aborts when the daemon must stop: SIGTERM, SIGINT, or `stop()`. */
  readonly signal: AbortSignal;
  /** Add the parts, then `seal()`; when all are ready, systemd is told. */
  readonly readiness: Readiness;
  /** Calls `listener` with the new settings on SIGHUP; when they cannot be loaded, that is logged and the old ones stay. */
  onReload(listener: (settings: Settings) => void | Promise<void>): void;
  /** Calls `listener` on SIGUSR1, which is ignored otherwise. */
  onUserSignal(listener: () => void): void;
  /**
   * Calls `listener` right before the process leaves without waiting for an ordered stop, as that takes too long or
   * somebody has asked twice: what would stay behind has to be ended now. The function returned ends that.
   */
  onLeave(listener: () => void): () => void;
  /** Stops the daemon as SIGTERM does. */
  stop(): void;
}

/** The process and the clock that a daemon runs on. */
export interface LifeDeps {
  readonly process: ProcessLike;
  readonly clock: Clock;
}

/** Signals within this are one request: `timeout`, terminals and `npm` signal a process by itself and with its group. */
const ONE_REQUEST_MS = 1_000;

interface LifeConfig<Settings> {
  readonly name: string;
  readonly settings: Settings;
  readonly input: DaemonInput;
  readonly stopMsMax: number;
}

interface LifeParts<Settings> {
  reload(): Promise<Settings>;
  run(context: DaemonContext<Settings>): Promise<ExitCode | void>;
}

/**
 * Runs a daemon from its loaded settings to its exit code: handles signals, reloads, systemd, crashes, and the bound on
 * stopping.
 */
export async function runLife<Settings>(
  config: LifeConfig<Settings>,
  parts: LifeParts<Settings>,
  { process, clock, log }: LifeDeps & { readonly log: Logger },
): Promise<ExitCode> {
  const stopping = new AbortController();
  const ended = new AbortController();
  const readiness = createReadiness();
  const board = new ProblemBoard();
  const notifier = createNotifier({ env: process.env, clock, pid: process.pid });
  const reloads: ((settings: Settings) => void | Promise<void>)[] = [];
  const undo: (() => void)[] = [];
  const on = (name: SignalName, listener: () => void): void => void undo.push(process.onSignal(name, listener));

  const leaveListeners = new Set<() => void>();
  const leave = (): void => {
    for (const listener of leaveListeners) listener();
    process.exit(exitCodes.failed);
  };
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    notifier.stopping();
    stopping.abort();
    undo.push(
      clock.setTimer(config.stopMsMax, () => {
        log.error("Stopping took too long, leaving", { limitMs: config.stopMsMax });
        leave();
      }),
    );
  };
  let askedAtMs: number | null = null;
  const stopBySignal = (name: SignalName): void => {
    const nowMs = clock.monotonicMs();
    const isRepeated = askedAtMs !== null && nowMs - askedAtMs < ONE_REQUEST_MS;
    askedAtMs ??= nowMs;
    if (isRepeated) return;
    if (stopping.signal.aborted) return leave(); // whoever asks twice does not want to wait
    log.info("Stopping", { signal: name });
    stop();
  };
  on("SIGTERM", () => stopBySignal("SIGTERM"));
  on("SIGINT", () => stopBySignal("SIGINT"));

  on("SIGUSR1", () => {}); // without a listener Node opens its debugger on it

  let reloading = Promise.resolve();
  on("SIGHUP", () => {
    // One after the other, so that the settings in force are those of the last signal.
    reloading = reloading.then(() => reload(parts, reloads, { log, board, notifier, signal: stopping.signal }));
  });
  undo.push(
    process.onCrash((error) => {
      log.error("Unexpected error, leaving", { error: describeError(error) });
      process.exit(exitCodes.failed);
    }),
  );
  readiness.onChange((ready) => {
    if (ready) notifier.ready();
  });
  notifier.startWatchdog(ended.signal);

  try {
    const code = await parts.run({
      settings: config.settings,
      input: config.input,
      log,
      clock,
      attentive: createAttentiveClock(clock, ended.signal),
      board,
      signal: stopping.signal,
      readiness,
      onReload: (listener) => void reloads.push(listener),
      onUserSignal: (listener) => on("SIGUSR1", listener),
      onLeave(listener) {
        leaveListeners.add(listener);
        return () => void leaveListeners.delete(listener);
      },
      stop,
    });
    return code ?? exitCodes.done;
  } finally {
    stopping.abort(); // what a daemon that failed has started would keep the process from ending
    ended.abort();
    await reloading;
    for (const end of undo) end();
  }
}

/**
 * Hands the new settings to the listeners, but not once the daemon is stopping, as nobody would end what they start.
 */
async function reload<Settings>(
  parts: Pick<LifeParts<Settings>, "reload">,
  listeners: readonly ((settings: Settings) => void | Promise<void>)[],
  { log, board, notifier, signal }: ReloadDeps,
): Promise<void> {
  if (signal.aborted) return;
  notifier.reloading();
  try {
    const settings = await parts.reload();
    for (const listener of listeners) {
      if (signal.aborted) return;
      await listener(settings);
    }
    log.info("Settings reloaded");
    board.set("settings", []);
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems.map(formatProblem) : [describeError(error)];
    for (const problem of problems) log.error("Settings not reloaded", { problem });
    board.set("settings", problems.map(notReloaded));
  }
  notifier.ready();
}

function notReloaded(problem: string): ReportedProblem {
  const remedy = "correct it and send SIGHUP again: `--check` finds all of it; the settings of before are in force";
  return { subject: "settings", message: `not reloaded: ${problem}`, severity: "error", remedy };
}

interface ReloadDeps {
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  readonly notifier: Pick<Notifier, "reloading" | "ready">;
  readonly signal: AbortSignal;
}
