import { type RunCommand, flag, operand } from "../dw.ts";
import { readInstance } from "../operands.ts";

/** Gives an instance no new requests; those that it has may end. */
export const run: RunCommand = async (dw, input) => {
  const instance = readInstance(operand(input, 0));
  const answer = await dw.client.post("/v1/instances/drain", { instance });
  if (flag(input, "json")) return dw.output.json(answer);
  dw.output.line(`${instance} gets no new requests until \`dw instance resume\``);
};
