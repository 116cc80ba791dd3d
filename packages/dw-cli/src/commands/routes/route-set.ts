import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { checkSource, checkTarget, checkPercent, misuse } from "../../context/operands.ts";
import { readingOf } from "./reading.ts";
import { reportRouteChange } from "./route-report.ts";

/** Sets several shares of one source at once, all or nothing. */
export const run: RunCommand = async (dw, input) => {
  const targets = input.operands.slice(1).map((text) => readShare(text ?? ""));
  const answer = await dw.client.ask(endpoints.setRoutes, {
    body: {
      source: checkSource(operand(input, 0)),
      targets,
      reading: readingOf(input),
      ahead: flag(input, "ahead"),
      dryRun: flag(input, "dryRun"),
    },
  });
  reportRouteChange(dw, input, answer);
};

/** `//barker(2)=10%` */
function readShare(text: string): { target: string; percent: string } {
  const at = text.lastIndexOf("=");
  if (at < 0) {
    throw misuse(`Cannot read ${JSON.stringify(text)}: wanted TARGET=PERCENT, as in '//barker(2)=10%'`);
  }
  return { target: checkTarget(text.slice(0, at)), percent: checkPercent(text.slice(at + 1)) };
}
