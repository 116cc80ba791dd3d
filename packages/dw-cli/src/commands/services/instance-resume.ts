import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readInstance } from "../../context/operands.ts";
import { reportInstance } from "./report-instance.ts";

/** Ends a drain. */
export const run: RunCommand = async (dw, input) => {
  const instance = readInstance(operand(input, 0));
  const body = { instance, dryRun: flag(input, "dryRun") };
  const answer = await dw.client.ask(endpoints.resumeInstance, { body });
  reportInstance(dw, input, answer, `${instance} gets requests again as soon as it is live`);
};
