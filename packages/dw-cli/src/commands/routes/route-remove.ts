import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { checkSource, checkTarget } from "../../context/operands.ts";
import { readingOf } from "./reading.ts";
import { reportRouteChange } from "./route-report.ts";

/** Takes a route away: its share goes where it went before. */
export const run: RunCommand = async (dw, input) => {
  const answer = await dw.client.ask(endpoints.removeRoute, {
    body: {
      source: checkSource(operand(input, 0)),
      target: checkTarget(operand(input, 1)),
      reading: readingOf(input),
      dryRun: flag(input, "dryRun"),
    },
  });
  reportRouteChange(dw, input, answer);
};
