import { endpoints } from "@datawire/api";
import { describeGeneration, parseGeneration } from "@datawire/protocol";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { misuse, readServiceAddress, typed } from "../../context/operands.ts";

/** Makes a generation the primary, which gets traffic without a route, and removes the routes that name it. */
export const run: RunCommand = async (dw, input) => {
  const text = operand(input, 0);
  const { service, instance, version } = readServiceAddress(text);
  const example = `//${service}(2)`;
  if (instance !== null) throw misuse(`Cannot promote ${JSON.stringify(text)}: wanted a version, as in '${example}'`);
  const generation = version === null ? "" : typed(() => parseGeneration(version));
  const dryRun = flag(input, "dryRun");
  const answer = await dw.client.ask(endpoints.promoteService, {
    params: { service },
    body: { generation: version, dryRun },
  });
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  const verb = dryRun ? "would be" : answer.changed ? "is now" : "is already";
  dw.output.line(`The primary of //${service} ${verb} ${describeGeneration(generation)}`);
};
