import type { ServiceView } from "@datawire/catalog";
import { loadedBlocks } from "../model/files.ts";
import { runningOf } from "../model/commands.ts";
import type { Plan, PlanProblem } from "../model/plan.ts";
import { describeStructure, type Running } from "../model/running.ts";
import { NOT_CARRIED, spareNames } from "../model/spares.ts";
import type { Exclusions } from "../planner/planner.ts";
import { inStructureOf, preparedFor } from "../transition/prepared.ts";
import { nextRound, type Round } from "../transition/transition.ts";
import type { Reload } from "../transition/waiting.ts";
import { keptServices } from "./quarantine.ts";
import type { Context, Known, Proxy, WholeFiles } from "./state.ts";

/** So many times a failure is answered by reading what HAProxy holds; then by a reload, which brings all of the plan. */
const REPAIRS_MAX = 3;
const UNUSED_BACKENDS_MAX = 200;
const UNREADABLE: Reload = { reason: "repair", detail: "HAProxy does not say what it holds" };
const BY_RELOAD_ONLY: Reload = { reason: "server", detail: "the template has no runtime socket" };

/** What of the table cannot be served as it is there; `followed` says how services in quarantine were before. */
export function exclusionsOf({ quarantine, portsTaken }: Known, followed: Plan | null): Exclusions {
  const kept = new Map<string, ServiceView>();
  for (const service of keptServices(quarantine)) {
    const view = followed?.views.get(service);
    if (view !== undefined) kept.set(service, view);
  }
  return { quarantined: quarantine.reasons, kept, portsTaken };
}

/** The same with some services on trial: they are not served at all, to see whether HAProxy accepts the others. */
export function withoutServices({ quarantined, portsTaken }: Exclusions, services: Iterable<string>): Exclusions {
  const trial = [...services].map((service) => [service, "on trial"] as const);
  return { quarantined: new Map([...quarantined, ...trial]), kept: new Map(), portsTaken };
}

/** Whether only a reload can bring HAProxy to where it is known to be. */
export function needsRepair({ repairs }: Proxy): boolean {
  return repairs >= REPAIRS_MAX;
}

/** What makes HAProxy follow a plan, as far as it takes commands, and has not refused too many. */
export function roundFor(
  known: Known,
  proxy: Proxy,
  { plan, context }: { readonly plan: Plan; readonly context: Context },
): Round {
  const { config } = context;
  if (!proxy.isKnown && needsRepair(proxy))
    return { commands: [], reload: UNREADABLE, now: proxy.followed ?? plan, settles: false };
  // What was refused comes with no reload: what ends then ends at once.
  const keepsLast = proxy.refusal?.stands !== true;
  const round = nextRound(proxy.running, plan, {
    shared: config.shared,
    dynamicServers: config.dynamicServers,
    unusedBackendsMax: UNUSED_BACKENDS_MAX,
    followed: proxy.followed,
    isSettled: proxy.isSettled,
    interim: (held) => context.planning.interim(exclusionsOf(known, proxy.followed), { held, keepsLast }),
  });
  if (round.commands.length === 0) return round;
  if (!config.runtimeCommands)
    return { ...round, commands: [], reload: round.reload ?? BY_RELOAD_ONLY, settles: false };
  if (!needsRepair(proxy)) return round;
  const detail = `${round.commands.length} commands were refused`;
  return { commands: [], reload: { reason: "repair", detail }, now: proxy.followed ?? round.now, settles: false };
}

/** What a reload brings for a plan: its structure alone, or all of it where commands cannot bring the rest. */
export function candidateFor(
  known: Known,
  proxy: Proxy,
  { plan, context }: { readonly plan: Plan; readonly context: Context },
): Plan {
  if (!context.config.runtimeCommands || needsRepair(proxy)) return plan;
  return preparedFor(plan, roundFor(known, proxy, { plan, context }).now);
}

/** The files of a plan. */
export function filesOf(plan: Plan, configVersion: string, { config }: Context): WholeFiles {
  const spares = spareNames(configVersion, config.spares);
  const structure = describeStructure(plan.structure, { ...config, spares, carried: plan.carried ?? NOT_CARRIED });
  return { configVersion, structure, plan };
}

/**
 * The files as they are to be once they follow what commands have changed; null where the structure that is loaded
 * is not known well enough. Backends that only wait to be taken out stay until the next reload.
 */
export function filesFollowing(plan: Plan, { files }: Known, { config }: Context): WholeFiles | null {
  if (files === null) return null;
  const whole = files.plan === null ? plan : inStructureOf(plan, files.plan);
  const { spares } = files.structure;
  const structure = describeStructure(whole.structure, { ...config, spares, carried: plan.carried ?? NOT_CARRIED });
  if (structure.backends.size !== files.structure.backends.size) return null;
  return { configVersion: files.configVersion, structure, plan: whole };
}

/** What an HAProxy holds that has just read these files. */
export function runningFrom({ plan, structure }: WholeFiles): Running {
  return { ...runningOf(plan), loaded: structure, blocks: loadedBlocks(plan) };
}

/** What operators are told of a plan and of the HAProxy that follows it. */
export function problemsOf(plan: Plan, { refusal }: Proxy): PlanProblem[] {
  const own = refusal === null ? [] : [{ subject: "HAProxy", message: refusal.reason }];
  return [...own, ...plan.problems];
}
