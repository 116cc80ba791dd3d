import { exclusionsOf, filesFollowing, withoutServices } from "./plans.ts";
import {
  type Context,
  type Effect,
  type Starting,
  type Step,
  type Stopped,
  type Task,
  type Trial,
  UNCHANGED,
} from "./state.ts";

/**
 * Starts HAProxy: with the files where it ran with them before, since every millisecond counts then, brought to what
 * commands have changed since they were written.
 */
export function start({ known: { files, ...known }, before }: Stopped, context: Context): Step {
  const effects: Effect[] = [{ effect: "release ports" }];
  // When HAProxy does not start with them, the next attempt makes new ones.
  const starting = { state: "starting", known: { ...known, files: null }, before, died: false } as const;
  if (files !== null && files.plan !== null) {
    const isBehind = before !== null && known.filesAtMs !== null;
    const brought = isBehind ? filesFollowing(before, { ...known, files }, context) : null;
    const whole = brought ?? { ...files, plan: files.plan };
    return {
      state: { ...starting, step: { doing: "launching", files: whole } },
      effects,
      task: { do: "launch", files: whole, from: brought === null ? "disk" : "behind" },
      dueAtMs: null,
    };
  }
  const plan = context.planning.plan(exclusionsOf(starting.known, before)) ?? context.planning.empty();
  const ports = [...plan.structure.tcpListeners.values()];
  if (ports.length === 0) return { ...validateStart(starting, { attempt: 0, context }), effects };
  const state: Starting = { ...starting, step: { doing: "trying ports" } };
  return { state, effects, task: { do: "try ports", ports }, dueAtMs: null };
}

/** Asks HAProxy whether it would start with the plan of now. */
export function validateStart(
  starting: Omit<Starting, "step">,
  { attempt, context }: { readonly attempt: number; readonly context: Context },
): Step {
  const exclusions = exclusionsOf(starting.known, starting.before);
  const planOf = (these = exclusions) => context.planning.plan(these) ?? context.planning.empty();
  const trial: Trial = { candidate: planOf(), attempt, changed: UNCHANGED };
  const task: Task = {
    do: "validate",
    plan: trial.candidate,
    without: (services) => planOf(withoutServices(exclusions, services)),
  };
  return { state: { ...starting, step: { doing: "validating", trial } }, effects: [], task, dueAtMs: null };
}
