import { endpoints, type Explanation } from "@datawire/api";
import { allRows, distributionTable } from "../../core/distribution-rows.ts";
import { type Dw, type Input, type RunCommand, flag } from "../../context/dw.ts";
import { readService } from "../../context/operands.ts";

/** The effective distribution of every service, or of one; with `--json` the stored routes. */
export const run: RunCommand = async (dw, input) => {
  const [typed] = input.operands;
  const service = typed === undefined ? null : readService(typed);
  if (flag(input, "follow"))
    return (await import("./follow-routes.ts")).followRoutes(dw, { json: flag(input, "json"), service });
  await list(dw, input, service);
};

async function list(dw: Dw, input: Input, service: string | null): Promise<void> {
  const all = (await dw.client.ask(endpoints.listRoutes)).routes;
  const routes = service === null ? all : all.filter((route) => route.service === service);
  if (flag(input, "json")) return dw.output.json(routes);
  const distributions = await distributionsOf(dw, service);
  const rows = allRows(distributions, routes, dw.clock.nowMs());
  if (rows.length === 0) return dw.output.note("the directory knows no service yet");
  dw.output.table(distributionTable(rows));
}

async function distributionsOf({ client }: Dw, service: string | null): Promise<readonly Explanation[]> {
  if (service === null) return (await client.ask(endpoints.listDistributions)).distributions;
  return (await client.ask(endpoints.showService, { params: { service } })).distributions ?? [];
}
