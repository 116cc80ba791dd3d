import { endpoints } from "@datawire/api";
import { parseGeneration, PROTOCOLS } from "@datawire/protocol";
import { type RunCommand, flag, operand, optionText } from "../../context/dw.ts";
import { readService, typed } from "../../context/operands.ts";
import { readServiceSettings } from "./service-settings.ts";

/** Makes a service known before any instance of it is, and keeps it. */
export const run: RunCommand = async (dw, input) => {
  const service = readService(operand(input, 0));
  const primary = optionText(input, "primary") ?? undefined;
  const answer = await dw.client.ask(endpoints.addService, {
    body: {
      service: `//${service}`,
      primary: primary === undefined ? undefined : typed(() => parseGeneration(primary)),
      protocol: PROTOCOLS.find((known) => known === optionText(input, "protocol")),
      ...readServiceSettings(input),
    },
  });
  if (flag(input, "json")) return dw.output.json(answer);
  dw.output.line(`//${service} is added`);
};
