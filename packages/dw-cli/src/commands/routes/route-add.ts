import { endpoints } from "@datawire/api";
import { parseDuration, parseSticky, parseWhen } from "@datawire/protocol";
import { type Input, type RunCommand, flag, operand, optionText } from "../../context/dw.ts";
import { checkSource, checkTarget, checkPercent, misuse, typed } from "../../context/operands.ts";
import { readingOf } from "./reading.ts";
import { reportRouteChange } from "./route-report.ts";

/** Gives a target its share of a source's requests, or changes it. */
export const run: RunCommand = async (dw, input) => {
  const source = checkSource(operand(input, 0));
  const target = checkTarget(operand(input, 1));
  const percent = input.operands[2];
  const when = checked(input, "when", parseWhen);
  const sticky = checked(input, "sticky", parseSticky);
  const duration = checked(input, "for", parseDuration);
  // With an option, a route that is there keeps the percentage that it has.
  if (percent === undefined && [when, sticky, duration].every((option) => option === undefined)) {
    throw misuse("Cannot add the route: there is no percentage; wanted one such as 10%, or --when");
  }
  const answer = await dw.client.ask(endpoints.addRoute, {
    body: {
      source,
      target,
      percent: percent === undefined ? undefined : checkPercent(percent),
      reading: readingOf(input),
      when,
      sticky,
      for: duration,
      ahead: flag(input, "ahead"),
      dryRun: flag(input, "dryRun"),
    },
  });
  reportRouteChange(dw, input, answer);
};

/** An option as typed, after its parser has had a look: undefined leaves it as it was, null drops it. */
function checked(input: Input, name: string, parse: (text: string) => unknown): string | null | undefined {
  const text = optionText(input, name);
  if (typeof text === "string") typed(() => parse(text));
  return text;
}
