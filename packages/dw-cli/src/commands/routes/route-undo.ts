import { endpoints } from "@datawire/api";
import { type RunCommand, flag } from "../../context/dw.ts";
import { reportDistributions } from "./route-report.ts";

/** Takes back the last change that is not undone yet. */
export const run: RunCommand = async (dw, input) => {
  const dryRun = flag(input, "dryRun");
  const answer = await dw.client.ask(endpoints.undo, { body: { dryRun } });
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  const done = answer.changed ? "Undone" : "Undone, with nothing to take back";
  dw.output.line(`${dryRun ? "Would undo" : done}: ${answer.undone}`);
  if (dryRun) reportDistributions(dw, answer.distributions);
};
