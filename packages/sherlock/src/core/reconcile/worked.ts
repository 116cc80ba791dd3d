import { note } from "../model/commands.ts";
import { proxyOf } from "./beginnings.ts";
import { withDeath } from "./death.ts";
import { afterCommands, afterServers, also, decide, rest, validateReload, work } from "./decide.ts";
import { noteRemoved } from "./leaving.ts";
import { blame, failure, PORTS_RETRY_MS, takenPorts, unexpected } from "./outcome.ts";
import { exclusionsOf, filesOf, problemsOf, roundFor, runningFrom } from "./plans.ts";
import type { Context, Effect, Idle, Known, Proxy, ReloadCause, Result, Step, Work, Working } from "./state.ts";

/** The files follow what commands changed so much later: they are read by people, and when HAProxy has to start again. */
const FILES_MS = 1_000;
/** They take as long as the table is large: at most one part in so many of the time goes into them. */
const FILES_REST_FACTOR = 50;

/** Takes the result of a task with a running HAProxy. */
export function worked(state: Working, result: Result, context: Context): Step {
  const idle: Idle = { state: "idle", known: knownAfter(state, result, context), proxy: state.proxy, retryAtMs: null };
  if (state.died) return decide(withDeath(idle, context.nowMs), context);
  if (result.event === "failed") return failed(idle, state.work, { result, context });
  return succeeded(idle, state.work, { result, context });
}

/** What a task has changed that outlives HAProxy. */
function knownAfter({ known, work }: Working, result: Result, { nowMs }: Context): Known {
  if (work.doing === "writing files" && result.event === "written") {
    const filesRestUntilMs = nowMs + (nowMs - work.startedMs) * FILES_REST_FACTOR;
    return { ...known, files: work.files, filesRestUntilMs };
  }
  // Tried again once HAProxy has been found to be as it was.
  if (work.doing === "writing files") return { ...known, filesAtMs: nowMs + FILES_MS };
  if (work.doing === "reloading" && result.event === "reloaded")
    return { ...known, files: work.files, lastReloadMs: nowMs, hasNews: true };
  if (work.doing === "reloading" || (work.doing === "validating" && result.event === "failed"))
    return { ...known, lastReloadMs: nowMs };
  return known;
}

interface Outcome {
  readonly result: Result;
  readonly context: Context;
}

/** What HAProxy holds is read anew; then it is tried again. */
function failed(idle: Idle, doing: Work, { result, context }: Outcome): Step {
  if (result.event !== "failed") throw unexpected(doing.doing, result);
  const { reason, isRefused } = result;
  const isRead = doing.doing === "reading";
  const told = { effect: isRead ? "unreadable" : "failed", reason } as const;
  const { effects, retryAtMs, ...found } = failure(idle.known, told, context.nowMs);
  if (isRead) {
    const proxy = { ...idle.proxy, repairs: idle.proxy.repairs + 1 };
    const next: Idle = { ...idle, known: { ...idle.known, ...found }, proxy, retryAtMs };
    return also(effects, decide(next, context));
  }
  if (doing.doing === "validating" || doing.doing === "reloading") effects.unshift({ effect: "reload failed", reason });
  const proxy = { ...idle.proxy, isKnown: false, isSettled: false, repairs: idle.proxy.repairs + (isRefused ? 1 : 0) };
  const next: Idle = { ...idle, known: { ...idle.known, ...found }, proxy };
  return also(effects, work(next, { doing: "reading", retryAtMs }, { do: "read", loaded: proxy.running.loaded }));
}

function succeeded(idle: Idle, doing: Work, { result, context }: Outcome): Step {
  const { known, proxy } = idle;
  const { nowMs } = context;
  switch (doing.doing) {
    case "trying taken ports":
      if (result.event !== "ports tried") break;
      return decide({ ...idle, known: afterRetry(known, result.taken, nowMs) }, context);
    case "commanding": {
      if (result.event !== "commanded") break;
      for (const command of doing.decision.round.commands) note(proxy.running, command);
      const filesAtMs = known.filesAtMs ?? Math.max(nowMs + FILES_MS, known.filesRestUntilMs);
      return afterCommands({ ...idle, known: { ...known, filesAtMs } }, doing.decision, context);
    }
    case "ending servers": {
      if (result.event !== "ended") break;
      const leaving = noteRemoved(doing.leaving, proxy.running, result.removed);
      return afterServers({ ...idle, proxy: { ...proxy, leaving } }, doing.decision, context);
    }
    case "writing files":
      if (result.event !== "written") break;
      return rest(idle, context);
    case "trying new ports": {
      if (result.event !== "ports tried") break;
      const listeners = doing.cause.plan.structure.tcpListeners.values();
      const { effects, ...found } = takenPorts(known, { listeners, result, nowMs });
      const next = validateReload({ ...idle, known: { ...known, ...found } }, doing.cause, { attempt: 0, context });
      return also(effects, next);
    }
    case "validating":
      if (result.event === "accepted") return accepted(idle, doing, { result, context });
      if (result.event === "rejected") return rejected(idle, doing, { result, context });
      break;
    case "reloading": {
      if (result.event !== "reloaded") break;
      const { files, cause } = doing;
      // The servers are read back: HAProxy keeps some of their state over a reload by itself.
      const running = { ...runningFrom(files), servers: result.servers };
      const brought = { ...proxyOf(running, files.plan), leaving: proxy.leaving };
      const effect: Effect = { effect: "reloaded", reload: cause.reload, durationMs: nowMs - cause.startedMs };
      return also([effect], decide({ ...idle, proxy: brought }, context));
    }
    case "reading": {
      if (result.event !== "read") break;
      const { retryAtMs } = doing;
      return decide(
        { ...idle, proxy: { ...proxy, running: result.running, isKnown: true, isSettled: false }, retryAtMs },
        context,
      );
    }
  }
  throw unexpected(doing.doing, result);
}

/** Ports that were taken have been tried again: each that has become free is news. */
function afterRetry(known: Known, taken: ReadonlyMap<string, string>, nowMs: number): Known {
  const portsTaken = new Map([...known.portsTaken].filter(([port]) => taken.has(port)));
  const portsAtMs = portsTaken.size === 0 ? null : nowMs + PORTS_RETRY_MS;
  return { ...known, portsTaken, portsAtMs, hasNews: known.hasNews || portsTaken.size < known.portsTaken.size };
}

type Validating = Extract<Work, { readonly doing: "validating" }>;
type ResultOf<Name> = Extract<Result, { readonly event: Name }>;

/** HAProxy refuses the candidate: the next one is without the services to blame, or the reload does not come. */
function rejected(
  idle: Idle,
  { cause, trial }: Validating,
  { result, context }: { readonly result: ResultOf<"rejected">; readonly context: Context },
): Step {
  const blamed = blame(idle.known, trial, result);
  if (blamed === null) return refused(idle, cause, { reason: result.reason, context });
  const next = { ...idle, known: blamed.known };
  return also(blamed.effects, validateReload(next, cause, { attempt: trial.attempt + 1, context }));
}

/** HAProxy would take the candidate. */
function accepted(
  idle: Idle,
  { cause, trial }: Validating,
  { result, context }: { readonly result: ResultOf<"accepted">; readonly context: Context },
): Step {
  const { known, proxy } = idle;
  const plan = context.planning.plan(exclusionsOf(known, proxy.followed)) ?? cause.plan;
  // Without the services that HAProxy refuses, nothing may be left that needs a reload.
  if (cause.reload.reason !== "spares" && roundFor(known, proxy, { plan, context }).reload === null)
    return decide({ ...idle, known: { ...known, lastReloadMs: context.nowMs, hasNews: true } }, context);
  const files = filesOf(trial.candidate, result.configVersion, context);
  // Until HAProxy runs with them, the files are not what a start would want.
  const next: Idle = { ...idle, known: { ...known, files: null } };
  return work(next, { doing: "reloading", cause, files }, { do: "reload", files });
}

/** HAProxy refuses the configuration as a whole: it goes on with the one before. */
function refused(
  idle: Idle,
  { reload, plan }: ReloadCause,
  { reason, context }: { readonly reason: string; readonly context: Context },
): Step {
  // What has changed during the trial has not been tried.
  const proxy: Proxy = { ...idle.proxy, refusal: { reason, stands: !idle.known.hasNews } };
  const known: Known = { ...idle.known, lastReloadMs: context.nowMs, hasNews: true, failures: 0 };
  const effects: Effect[] = [
    { effect: "reload failed", reason },
    { effect: "refused", reload, reason },
    { effect: "applied", problems: problemsOf(plan, proxy) },
  ];
  if (idle.known.failures > 0) effects.unshift({ effect: "struggles", reason: null });
  return also(effects, rest({ ...idle, known, proxy }, context));
}
