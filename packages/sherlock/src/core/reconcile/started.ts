import { proxyOf } from "./beginnings.ts";
import { withDeath } from "./death.ts";
import { also, decide } from "./decide.ts";
import { blame, failure, takenPorts, unexpected } from "./outcome.ts";
import { exclusionsOf, filesOf, runningFrom } from "./plans.ts";
import { validateStart } from "./start.ts";
import type { Context, Idle, Known, Result, Starting, Step } from "./state.ts";

/** Takes the result of a task of a start. */
export function started(state: Starting, result: Result, context: Context): Step {
  const { known, step, before } = state;
  const { nowMs } = context;
  if (result.event === "failed") return notStarted(state, result.reason, context);
  switch (step.doing) {
    case "trying ports": {
      if (result.event !== "ports tried") break;
      const plan = context.planning.plan(exclusionsOf(known, before)) ?? context.planning.empty();
      const { effects, ...found } = takenPorts(known, {
        listeners: plan.structure.tcpListeners.values(),
        result,
        nowMs,
      });
      return also(effects, validateStart({ ...state, known: { ...known, ...found } }, { attempt: 0, context }));
    }
    case "validating": {
      const { candidate, attempt } = step.trial;
      if (result.event === "accepted") {
        const files = filesOf(candidate, result.configVersion, context);
        const launching: Starting = { ...state, step: { doing: "launching", files } };
        return { state: launching, effects: [], task: { do: "launch", files, from: "validation" }, dueAtMs: null };
      }
      if (result.event !== "rejected") break;
      const blamed = blame(known, step.trial, result);
      if (blamed === null) return notStarted(state, result.reason, context);
      const next = validateStart({ ...state, known: blamed.known }, { attempt: attempt + 1, context });
      return also(blamed.effects, next);
    }
    case "launching": {
      if (result.event !== "launched") break;
      const { files } = step;
      const runs: Known = { ...known, files, lastReloadMs: nowMs, hasNews: true };
      const idle: Idle = {
        state: "idle",
        known: runs,
        proxy: proxyOf(runningFrom(files), files.plan),
        retryAtMs: null,
      };
      return decide(state.died ? withDeath(idle, nowMs) : idle, context);
    }
  }
  throw unexpected(step.doing, result);
}

function notStarted({ known, before }: Starting, reason: string, context: Context): Step {
  const { effects, retryAtMs, ...failed } = failure(known, { effect: "failed", reason }, context.nowMs);
  return also(effects, decide({ state: "stopped", known: { ...known, ...failed }, before, retryAtMs }, context));
}
