import { decide } from "./decide.ts";
import { releaseChanged } from "./quarantine.ts";
import { started } from "./started.ts";
import type { Context, Event, Known, Proxy, State, Step, Trial } from "./state.ts";
import { withDeath } from "./death.ts";
import { worked } from "./worked.ts";

/**
 * Decides how HAProxy is kept following the plan: nothing where nothing changed, commands where they do, else a reload,
 * one at a time. Given where things stand and what has happened, it says where they stand then, what is told, and which
 * task begins. Tasks never overlap, so that everything which changes HAProxy happens one after the other.
 */
export function reconcile(state: State, event: Event, context: Context): Step {
  switch (event.event) {
    case "changed":
      return decide(withNews(state, event.services, context.nowMs), context);
    case "died":
      return decide(withDeath(state, context.nowMs), context);
    case "due":
      return decide(state, context);
    default:
      if (state.state === "starting") return started(state, event, context);
      if (state.state === "working") return worked(state, event, context);
      throw new Error(
        `Cannot take ${JSON.stringify(event.event)}: nothing is under way while HAProxy is ${state.state}`,
      );
  }
}

function withNews(state: State, changed: ReadonlySet<string>, nowMs: number): State {
  const { quarantine } = state.known;
  const known: Known = { ...state.known, hasNews: true, quarantine: releaseChanged(quarantine, changed) };
  const renewed = (trial: Trial): Trial => ({ ...trial, changed: new Set([...trial.changed, ...changed]) });
  switch (state.state) {
    case "stopped":
      return { ...state, known, retryAtMs: nowMs };
    case "starting": {
      const { step } = state;
      return { ...state, known, step: step.doing === "validating" ? { ...step, trial: renewed(step.trial) } : step };
    }
    case "idle":
      return { ...state, known, proxy: open(state.proxy), retryAtMs: null };
    case "working": {
      const next = { ...state, known, proxy: open(state.proxy) };
      const { work } = state;
      if (work.doing === "validating") return { ...next, work: { ...work, trial: renewed(work.trial) } };
      return work.doing === "reading" ? { ...next, work: { ...work, retryAtMs: null } } : next;
    }
  }
}

/** What was refused as it was may be accepted as it is. */
function open(proxy: Proxy): Proxy {
  return proxy.refusal === null ? proxy : { ...proxy, refusal: { ...proxy.refusal, stands: false } };
}
