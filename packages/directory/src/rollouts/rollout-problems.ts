import { formatPercent } from "@datawire/protocol";
import type { StatusProblem } from "../problems/service-problems.ts";
import type { Judge } from "./judge.ts";

const SILENT_QUERY =
  "see that its `prometheus` answers, and that the query gives one sample of that version; until then `no_data` of the rollout decides";
const silentGateRemedy = (id: string): string =>
  `see that it can be reached from the directory; \`dw rollout promote ${id} --step\` goes on without it`;
const unwatchedRemedy = (id: string): string =>
  `it goes on by itself when one is; \`dw rollout abort ${id}\` brings back the routes from before`;

/** Rollouts that nobody judges, and those of which a gate or a query gives no answer. */
export function rolloutProblems(judge: Pick<Judge, "unwatched" | "silent">): StatusProblem[] {
  const unwatched = judge.unwatched().map(({ id, rollout }): StatusProblem => {
    const { plan, step } = rollout;
    const message = `stays at ${formatPercent(plan.steps[step]?.share ?? 0)}, and nobody judges it: no Sherlock, library or router is connected that counts its requests`;
    return { severity: "warning", subject: `rollout ${id} of ${plan.target}`, message, remedy: unwatchedRemedy(id) };
  });
  const silent = judge.silent().map(({ what, why, record }): StatusProblem => {
    const subject = `rollout ${record.id} of ${record.rollout.plan.target}`;
    const remedy = what.startsWith("query ") ? SILENT_QUERY : silentGateRemedy(record.id);
    return { severity: "warning", subject, message: `its ${what} ${why}`, remedy };
  });
  return [...unwatched, ...silent];
}
