import { endpoints } from "@datawire/api";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { misuse, readService } from "../../context/operands.ts";
import { readServiceSettings, showGivenSettings } from "./service-settings.ts";

/** Changes settings of a service; those that are not given stay. */
export const run: RunCommand = async (dw, input) => {
  const service = readService(operand(input, 0));
  const settings = readServiceSettings(input);
  if (Object.keys(settings).length === 0) {
    throw misuse(`Cannot set //${service}: there is nothing to set; \`dw service set --help\` lists what there is`);
  }
  const dryRun = flag(input, "dryRun");
  const body = dryRun ? { ...settings, dryRun } : settings;
  const answer = await dw.client.ask(endpoints.setService, { params: { service }, body });
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  dw.output.line(`${dryRun ? "Nothing is changed; it would be " : ""}//${service}: ${showGivenSettings(settings)}`);
};
