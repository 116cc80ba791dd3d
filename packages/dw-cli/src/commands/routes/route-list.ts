import { endpoints } from "@datawire/api";
import { allRows, distributionTable } from "../../core/distribution-rows.ts";
import { type Dw, type Input, type RunCommand, flag } from "../../context/dw.ts";

/** The effective distribution of every service; with `--json` the stored routes. */
export const run: RunCommand = async (dw, input) => {
  if (flag(input, "follow")) return (await import("./follow-routes.ts")).followRoutes(dw, flag(input, "json"));
  await list(dw, input);
};

async function list(dw: Dw, input: Input): Promise<void> {
  const { routes } = await dw.client.ask(endpoints.listRoutes);
  if (flag(input, "json")) return dw.output.json(routes);
  const { distributions } = await dw.client.ask(endpoints.listDistributions);
  const rows = allRows(distributions, routes, dw.clock.nowMs());
  if (rows.length === 0) return dw.output.note("the directory knows no service yet");
  dw.output.table(distributionTable(rows));
}
