import { endpoints } from "@datawire/api";
import { count } from "../../core/span.ts";
import { type RunCommand, flag } from "../../context/dw.ts";

/** Lets the leases end that the guard holds. */
export const run: RunCommand = async (dw, input) => {
  const answer = await dw.client.ask(endpoints.releaseGuard);
  if (flag(input, "json")) return dw.output.json(answer);
  dw.output.line(answer.released === 0 ? "The guard holds nothing" : `Released ${count(answer.released, "instance")}`);
};
