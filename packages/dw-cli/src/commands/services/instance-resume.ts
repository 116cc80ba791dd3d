import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readInstance } from "../../context/operands.ts";

/** Ends a drain. */
export const run: RunCommand = async (dw, input) => {
  const instance = readInstance(operand(input, 0));
  const answer = await dw.client.ask(endpoints.resumeInstance, { body: { instance } });
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  if (answer.changed) dw.output.line(`${instance} gets requests again as soon as it is live`);
};
