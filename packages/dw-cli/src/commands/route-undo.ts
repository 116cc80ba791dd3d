import type { RouteChangeAnswer } from "../api-shapes.ts";
import { type RunCommand, flag } from "../dw.ts";
import { reportRouteChange } from "../route-report.ts";

/** Takes back the last change that is not undone yet. */
export const run: RunCommand = async (dw, input) => {
  const answer = await dw.client.post("/v1/routes/undo", { dryRun: flag(input, "dryRun") });
  reportRouteChange(dw, input, answer as RouteChangeAnswer);
};
