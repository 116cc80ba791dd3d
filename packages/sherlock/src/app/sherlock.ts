import { type DaemonContext, describeError, formatListenAddress, RecentProblems } from "@datawire/runtime";
import { startAdmin, type StartAdmin } from "@datawire/http";
import { openRunDir } from "../haproxy/run-dir.ts";
import { serve, type ServeDeps } from "./serve.ts";
import type { SherlockSettings } from "../config/settings.ts";

/** What a Sherlock takes from the process around it. */
export interface SherlockSurroundings {
  readonly openAdmin: StartAdmin;
}

/**
 * Follows the directory and drives HAProxy until the signal aborts, then lets open requests end and stops HAProxy too.
 * After SIGUSR1 it leaves HAProxy serving, for the next start to adopt. New settings take the same way within the
 * process: HAProxy is left and adopted, and what differs is a reload. Where its run folder is removed, it makes another one and
 * starts another HAProxy: with this one it cannot talk any more.
 */
export async function runSherlock(
  context: DaemonContext<SherlockSettings>,
  { openAdmin }: SherlockSurroundings = { openAdmin: startAdmin },
): Promise<void> {
  const { log, clock, attentive, board, signal, readiness } = context;
  let settings = context.settings;
  let wanted: SherlockSettings | null = null;
  let restart = new AbortController();
  let leaving = false;
  /** Whether the run folder was removed, without which nobody can adopt an HAProxy. */
  let isRemoved = false;
  const recent = new RecentProblems("run folder", { board, clock, signal });
  context.onReload((next) => {
    wanted = next;
    restart.abort();
  });
  context.onUserSignal(() => {
    leaving = true;
    context.stop();
  });
  const deps: ServeDeps = {
    log,
    clock,
    attentive,
    board,
    readiness,
    openAdmin,
    haproxyUp: readiness.add("haproxy", "HAProxy has not started yet"),
    tableApplied: readiness.add("table", "no table has come yet"),
    proxyAtEnd() {
      if (isRemoved && !signal.aborted) return "gives way";
      return leaving || !signal.aborted ? "stays" : "ends";
    },
    onLeave: context.onLeave,
    onDenied: () => context.stop(),
    onServing({ listen, admin }) {
      readiness.seal();
      if (readiness.missing().length > 0) return;
      const [first] = listen;
      log.info("Sherlock is ready", {
        address: first?.host,
        port: first?.port,
        listen: listen.map(formatListenAddress),
        admin: admin === null ? "off" : formatListenAddress(admin),
      });
    },
  };
  const onRemoved = (path: string): void => {
    isRemoved = true;
    log.error("The run folder was removed, starting anew with another one", { path });
    const message = "was removed while it was in use: it was made again, and another HAProxy was started";
    recent.note({ subject: path, message, remedy: "keep whoever cleans up away from it, or set haproxy.run_dir" });
    restart.abort();
  };
  while (!signal.aborted) {
    isRemoved = false;
    restart = new AbortController();
    const until = AbortSignal.any([signal, restart.signal]);
    try {
      await serveIn(settings, deps, { until, onRemoved });
      board.set("new settings", []);
    } catch (error) {
      if (settings === context.settings || signal.aborted) throw error;
      log.error("The new settings cannot be used, going on with the first ones", { error: describeError(error) });
      const message = `cannot be used, those of the start are in force: ${describeError(error)}`;
      board.set("new settings", [
        { subject: "settings", message, severity: "error", remedy: "correct them, and send SIGHUP" },
      ]);
      wanted = context.settings;
    }
    settings = wanted ?? settings;
    wanted = null;
  }
}

async function serveIn(
  settings: SherlockSettings,
  deps: ServeDeps,
  { until, onRemoved }: { readonly until: AbortSignal; readonly onRemoved: (path: string) => void },
): Promise<void> {
  const dir = await openRunDir(settings.haproxy.runDir);
  const watch = new AbortController();
  const watching = dir.removed(deps.clock, AbortSignal.any([until, watch.signal])).then((isRemoved) => {
    if (isRemoved) onRemoved(dir.path);
  });
  try {
    await serve({ settings, dir }, deps, until);
  } finally {
    watch.abort();
    await watching;
    await dir.release();
  }
}
