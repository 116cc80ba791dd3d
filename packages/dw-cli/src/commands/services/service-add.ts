import { endpoints } from "@datawire/api";
import { parseGeneration, ProtocolError, PROTOCOLS } from "@datawire/protocol";
import { type RunCommand, flag, operand, optionText } from "../../context/dw.ts";
import { misuse, readService, typed } from "../../context/operands.ts";
import { readServiceSettings } from "./service-settings.ts";

/** Makes a service known before any instance of it is, and keeps it; of a sample it also lays the folder. */
export const run: RunCommand = async (dw, input) => {
  const name = operand(input, 0);
  const service = readService(name);
  const primary = optionText(input, "primary") ?? undefined;
  const given = PROTOCOLS.find((known) => known === optionText(input, "protocol"));
  const settings = readServiceSettings(input);
  const dryRun = flag(input, "dryRun");
  const notes = await dw.prepareSample(name, dryRun);
  if (notes !== null && given !== undefined && given !== "amqp")
    throw misuse(`Cannot add the sample ${name} as ${given}: it speaks amqp`);
  for (const note of notes ?? []) dw.output.note(note);
  const body = {
    service: `//${service}`,
    primary: primary === undefined ? undefined : typed(() => parseGeneration(primary)),
    protocol: notes === null ? given : ("amqp" as const),
    ...settings,
    ...(dryRun ? { dryRun } : {}),
  };
  const answer = await dw.client.ask(endpoints.addService, { body }).catch((error: unknown) => {
    // A sample is added by whoever wants it here, however often.
    if (notes !== null && error instanceof ProtocolError && error.code === "conflict") return null;
    throw error;
  });
  if (flag(input, "json")) return dw.output.json(answer ?? { service });
  const done = dryRun ? "would be added" : "is added";
  dw.output.line(
    answer === null ? `//${service} was there already` : `${dryRun ? "Nothing is changed; " : ""}//${service} ${done}`,
  );
};
