import { type Answer, type ApiClient, endpoints } from "@datawire/api";
import { instanceTable } from "../../core/instance-table.ts";
import { type RunCommand, flag } from "../../context/dw.ts";
import { readService } from "../../context/operands.ts";

/** Every instance, or those of one service. */
export const run: RunCommand = async (dw, input) => {
  const services = await servicesOf(dw.client, input.operands[0]);
  if (flag(input, "json")) {
    return dw.output.json(
      services.flatMap(({ service, instances }) => instances.map((instance) => ({ service, ...instance }))),
    );
  }
  if (services.every(({ instances }) => instances.length === 0)) return dw.output.note("no instance is registered");
  dw.output.table(instanceTable(services, dw.clock.nowMs(), { named: true }));
};

async function servicesOf(client: ApiClient, text: string | undefined): Promise<Answer<"listServices">["services"]> {
  if (text === undefined) return (await client.ask(endpoints.listServices)).services;
  return [(await client.ask(endpoints.showService, { params: { service: readService(text) } })).service];
}
