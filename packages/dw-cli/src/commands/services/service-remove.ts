import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readService } from "../../context/operands.ts";

/** Forgets a service that was added; refused while something needs it. */
export const run: RunCommand = async (dw, input) => {
  const service = readService(operand(input, 0));
  const dryRun = flag(input, "dryRun");
  const query = dryRun ? { dryRun: "true" } : {};
  const answer = await dw.client.ask(endpoints.removeService, { params: { service }, query });
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  dw.output.line(dryRun ? `Nothing is changed; //${service} would be removed` : `//${service} is removed`);
};
