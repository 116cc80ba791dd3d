import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readInstance } from "../../context/operands.ts";

/** Gives an instance no new requests; those that it has may end. */
export const run: RunCommand = async (dw, input) => {
  const instance = readInstance(operand(input, 0));
  const answer = await dw.client.ask(endpoints.drainInstance, { body: { instance } });
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  if (answer.changed) dw.output.line(`${instance} gets no new requests until \`dw instance resume\``);
};
