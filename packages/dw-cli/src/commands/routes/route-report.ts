import type { Answer, Explanation } from "@datawire/api";
import { allRows, distributionTable } from "../../core/distribution-rows.ts";
import { type Dw, type Input, flag } from "../../context/dw.ts";

/** Prints what a change of routes did, or would do: the shares that result from it. */
export function reportRouteChange(dw: Dw, input: Input, answer: Answer<"addRoute">): void {
  const { output } = dw;
  if (flag(input, "json")) return output.json(answer);
  for (const note of answer.notes) output.note(note);
  if (flag(input, "dryRun")) output.line("Nothing is changed; it would be:");
  else if (!answer.changed) output.line("Nothing to change; it is:");
  const distributions = answer.distribution === null ? [] : [answer.distribution];
  const rows = allRows(distributions, answer.routes, dw.clock.nowMs());
  if (rows.length > 0) output.table(distributionTable(rows));
}

/** Prints where requests would go after a change that is only tried, as far as the directory tells that. */
export function reportDistributions(dw: Dw, distributions: readonly Explanation[] = []): void {
  const rows = allRows(distributions, [], dw.clock.nowMs());
  if (rows.length > 0) dw.output.table(distributionTable(rows));
}
