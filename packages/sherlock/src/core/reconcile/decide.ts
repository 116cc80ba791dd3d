import { backendsOf } from "../model/commands.ts";
import { addChange, dueAtMs } from "./coalesce.ts";
import { dueOfLeaving, leavingAtMs, lookForLeaving } from "./leaving.ts";
import {
  candidateFor,
  exclusionsOf,
  filesFollowing,
  needsRepair,
  problemsOf,
  roundFor,
  withoutServices,
} from "./plans.ts";
import {
  type Context,
  type Decision,
  type Effect,
  type Idle,
  type Known,
  type Proxy,
  type ReloadCause,
  type State,
  type Step,
  type Task,
  type Trial,
  UNCHANGED,
  type WantedPort,
  type Work,
} from "./state.ts";
import { noteTaken, refillAtMs, refillReload } from "./refill.ts";
import { start } from "./start.ts";

/** Says what is to be done next, where nothing is under way. */
export function decide(state: State, context: Context): Step {
  switch (state.state) {
    case "starting":
    case "working":
      return { state, effects: [], task: null, dueAtMs: null };
    case "stopped":
      return state.retryAtMs > context.nowMs
        ? { state, effects: [], task: null, dueAtMs: state.retryAtMs }
        : start(state, context);
    case "idle":
      return decideIdle(state, context);
  }
}

function decideIdle(state: Idle, context: Context): Step {
  const { known, proxy, retryAtMs } = state;
  const { nowMs } = context;
  if (retryAtMs !== null && retryAtMs > nowMs) return { state, effects: [], task: null, dueAtMs: retryAtMs };
  if (known.portsAtMs !== null && known.portsAtMs <= nowMs) {
    const ports = [...known.portsTaken.keys()].map(hostAndPort);
    return work(state, { doing: "trying taken ports" }, { do: "try ports", ports });
  }
  if (!proxy.isKnown && !needsRepair(proxy))
    return work(state, { doing: "reading", retryAtMs: null }, { do: "read", loaded: proxy.running.loaded });
  const plan = context.planning.plan(exclusionsOf(known, proxy.followed));
  // What comes from here on is for the next round.
  const next: Idle = { ...state, retryAtMs: null, known: { ...known, hasNews: false } };
  if (plan === null) return { state: next, effects: [], task: null, dueAtMs: known.portsAtMs };
  const decision: Decision = {
    plan,
    round: roundFor(known, proxy, { plan, context }),
    hasNews: known.hasNews,
    isTold: known.hasNews || proxy.pending !== null,
  };
  const { commands, now } = decision.round;
  if (commands.length === 0) return afterCommands(next, decision, context);
  return work(next, { doing: "commanding", decision }, { do: "command", commands, plan: now });
}

/** The commands of a round have been done: what has left long ago is ended. */
export function afterCommands(state: Idle, decision: Decision, context: Context): Step {
  if (!context.config.runtimeCommands) return afterServers(state, decision, context);
  const { proxy } = state;
  const { now, commands, settles: isSettled } = decision.round;
  const { nowMs } = context;
  const touched = proxy.isSettled ? backendsOf(commands) : proxy.running.servers.keys();
  const look = { running: proxy.running, plan: now, before: proxy.followed, touched, nowMs };
  const { cut, remove, leaving } = dueOfLeaving(lookForLeaving(proxy.leaving, look), nowMs);
  const next: Idle = { ...state, proxy: { ...proxy, followed: now, isSettled } };
  if (cut.length === 0 && remove.length === 0)
    return afterServers({ ...next, proxy: { ...next.proxy, leaving } }, decision, context);
  return work(next, { doing: "ending servers", decision, leaving }, { do: "end servers", cut, remove });
}

/** Commands do what they can: the rest waits for a reload, or nothing is left. */
export function afterServers(state: Idle, decision: Decision, context: Context): Step {
  const { known, proxy } = state;
  const { nowMs, config } = context;
  const { plan, round, hasNews } = decision;
  if (round.reload === null) return followed(state, decision, context);
  if (proxy.refusal?.stands === true) return rest(state, context);
  const pending = hasNews || proxy.pending === null ? addChange(proxy.pending, nowMs) : proxy.pending;
  if (dueAtMs(pending, known.lastReloadMs, config.coalesce) > nowMs)
    return rest({ ...state, proxy: { ...proxy, pending } }, context);
  const cause: ReloadCause = { reload: round.reload, plan, startedMs: nowMs };
  const next: Idle = { ...state, proxy: { ...proxy, pending: null } };
  const ours = new Set(proxy.running.loaded.listeners.values());
  const ports = [...plan.structure.tcpListeners.values()].filter(({ host, port }) => !ours.has(`${host}:${port}`));
  if (ports.length === 0) return validateReload(next, cause, { attempt: 0, context });
  return work(next, { doing: "trying new ports", cause }, { do: "try ports", ports });
}

/** HAProxy follows the plan. */
function followed(state: Idle, { plan, round, isTold }: Decision, context: Context): Step {
  const { nowMs } = context;
  const refill = noteTaken(state.proxy.refill, state.proxy.running, nowMs);
  const proxy: Proxy = { ...state.proxy, pending: null, repairs: 0, refusal: null, refill };
  const known: Known = { ...state.known, failures: 0 };
  const effects: Effect[] = [];
  if (state.known.failures > 0) effects.push({ effect: "struggles", reason: null });
  if (isTold) effects.push({ effect: "applied", problems: problemsOf(plan, proxy) });
  const refillsAtMs = refillTime({ known, proxy }, context);
  // In a step of its own, as it makes a plan.
  if (!isTold && refill !== null && refillsAtMs !== null && refillsAtMs <= nowMs) {
    const cause: ReloadCause = { reload: refillReload(refill), plan, startedMs: nowMs };
    return also(effects, validateReload({ ...state, known, proxy }, cause, { attempt: 0, context }));
  }
  if (known.files === null || known.filesAtMs === null || known.filesAtMs > nowMs)
    return also(effects, rest({ ...state, known, proxy }, context));
  const files = filesFollowing(round.now, known, context);
  const next: Idle = { ...state, proxy, known: { ...known, filesAtMs: null } };
  if (files === null) return also(effects, rest(next, context));
  return also(effects, work(next, { doing: "writing files", files, startedMs: nowMs }, { do: "write files", files }));
}

/** Nothing is to be done but what has its time, and what has come meanwhile. */
export function rest(state: Idle, context: Context): Step {
  const { known, proxy } = state;
  // In a step of its own: what is told in this one is of the plan that was made last.
  if (known.hasNews) return { state, effects: [], task: null, dueAtMs: context.nowMs };
  const isFollowed = proxy.pending === null && proxy.refusal === null;
  const times = [
    leavingAtMs(proxy.leaving),
    known.portsAtMs,
    proxy.pending === null ? null : dueAtMs(proxy.pending, known.lastReloadMs, context.config.coalesce),
    isFollowed && known.files !== null ? known.filesAtMs : null,
    isFollowed ? refillTime(state, context) : null,
  ].filter((time) => time !== null);
  return { state, effects: [], task: null, dueAtMs: times.length === 0 ? null : Math.min(...times) };
}

function refillTime({ known, proxy }: Pick<Idle, "known" | "proxy">, { config }: Context): number | null {
  return refillAtMs(proxy.refill, proxy.running, { lastReloadMs: known.lastReloadMs, limits: config.refill });
}

/** Asks HAProxy whether it would take the structure of the plan of now. */
export function validateReload(
  state: Idle,
  cause: ReloadCause,
  { attempt, context }: { readonly attempt: number; readonly context: Context },
): Step {
  const { known, proxy } = state;
  const exclusions = exclusionsOf(known, proxy.followed);
  const candidate = (these = exclusions) =>
    candidateFor(known, proxy, { plan: context.planning.plan(these) ?? cause.plan, context });
  const trial: Trial = { candidate: candidate(), attempt, changed: UNCHANGED };
  return work(
    state,
    { doing: "validating", cause, trial },
    {
      do: "validate",
      plan: trial.candidate,
      without: (services) => candidate(withoutServices(exclusions, services)),
    },
  );
}

/** Begins a task with a running HAProxy. */
export function work({ known, proxy }: Idle, doing: Work, task: Task): Step {
  return { state: { state: "working", known, proxy, died: false, work: doing }, effects: [], task, dueAtMs: null };
}

/** A step with what is told before it. */
export function also(effects: readonly Effect[], step: Step): Step {
  return { ...step, effects: [...effects, ...step.effects] };
}

function hostAndPort(place: string): WantedPort {
  const colon = place.lastIndexOf(":");
  return { host: place.slice(0, colon), port: Number(place.slice(colon + 1)) };
}
