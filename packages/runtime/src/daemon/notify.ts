import { spawn } from "node:child_process";
import type { Clock } from "../time/clock.ts";

/** Tells systemd the state of the process (sd_notify(3)); does nothing when systemd did not start it. */
export interface Notifier {
  ready(): void;
  reloading(): void;
  stopping(): void;
  /** Sends WATCHDOG=1 at half of the period that the unit asks for, until the signal aborts. */
  startWatchdog(signal: AbortSignal): void;
}

type Send = (assignments: readonly string[]) => Promise<void>;

/** What a notifier works with. */
export interface NotifierDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly pid: number;
  /** Sends one message and resolves when it has arrived or failed; the default runs `systemd-notify`. */
  readonly send?: Send;
}

/**
 * Makes the notifier of a process.
 *
 * Node has no datagram sockets of the Unix family, so each message runs `systemd-notify`, which systemd brings along.
 * The sender is then a child of the daemon: the unit must say `NotifyAccess=all`. A watchdog of WatchdogSec=30s costs
 * one such process every 15 s.
 */
export function createNotifier({ env, clock, pid, send }: NotifierDeps): Notifier {
  if (!env["NOTIFY_SOCKET"]) return silent;
  const deliver = send ?? ((assignments) => runSystemdNotify(env, assignments));
  // One after the other: READY=1 overtaking RELOADING=1 would leave the unit reloading for ever.
  let last = Promise.resolve();
  const notify: Send = (assignments) => (last = last.then(() => deliver(assignments)));
  return {
    ready: () => void notify(["READY=1"]),
    // Type=notify-reload compares this moment with the one at which it asked for the reload.
    reloading: () => void notify(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    stopping: () => void notify(["STOPPING=1"]),
    startWatchdog(signal) {
      const periodMs = watchdogMs(env, pid) / 2;
      if (periodMs > 0) void beat(periodMs, { clock, notify, signal });
    },
  };
}

async function beat(
  periodMs: number,
  { clock, notify, signal }: { clock: Clock; notify: Send; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await notify(["WATCHDOG=1"]);
    await clock.sleep(periodMs, signal);
  }
}

/** The period of the unit's watchdog in milliseconds; 0 when there is none, or none for this process. */
function watchdogMs(env: NotifierDeps["env"], pid: number): number {
  const forPid = env["WATCHDOG_PID"];
  if (forPid !== undefined && forPid !== String(pid)) return 0;
  const usec = Number(env["WATCHDOG_USEC"]);
  return Number.isFinite(usec) && usec > 0 ? usec / 1000 : 0;
}

function runSystemdNotify(env: NotifierDeps["env"], assignments: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn("systemd-notify", [...assignments], {
      env: { ...env },
      stdio: "ignore",
      timeout: NOTIFY_MS_MAX,
    });
    // A message that cannot be sent shows in the state of the unit; the daemon itself cannot do anything about it.
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
    child.unref(); // nor does it wait for the message before it leaves
  });
}

const NOTIFY_MS_MAX = 5_000;

const silent: Notifier = { ready() {}, reloading() {}, stopping() {}, startWatchdog() {} };
