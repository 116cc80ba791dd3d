import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readInstance } from "../../context/operands.ts";
import { reportInstance } from "./report-instance.ts";

/** Gives an instance no new requests; those that it has may end. */
export const run: RunCommand = async (dw, input) => {
  const instance = readInstance(operand(input, 0));
  const body = { instance, dryRun: flag(input, "dryRun") };
  const answer = await dw.client.ask(endpoints.drainInstance, { body });
  reportInstance(dw, input, answer, `${instance} gets no new requests until \`dw instance resume\``);
};
