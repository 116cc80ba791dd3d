import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readService } from "../../context/operands.ts";

/** Forgets a service that was added; refused while something needs it. */
export const run: RunCommand = async (dw, input) => {
  const service = readService(operand(input, 0));
  const answer = await dw.client.ask(endpoints.removeService, { params: { service } });
  if (flag(input, "json")) return dw.output.json(answer);
  dw.output.line(`//${service} is removed`);
};
