import { endpoints } from "@datawire/api";
import { instanceTable } from "../../core/instance-table.ts";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { readService } from "../../context/operands.ts";
import { showServiceSettings } from "./service-settings.ts";

/** One service with its settings and all of its instances. */
export const run: RunCommand = async (dw, input) => {
  const name = readService(operand(input, 0));
  const { service, settings, declared } = await dw.client.ask(endpoints.showService, { params: { service: name } });
  if (flag(input, "json")) return dw.output.json({ ...service, settings, declared });
  const facts: [string, string][] = [
    ["service", service.service],
    ["status", service.reason === null ? service.status : `${service.status}: ${service.reason}`],
    ["primary", service.primary ?? "-"],
    ["protocol", service.protocol],
    ["declared", declared ? "yes, by `dw service add`" : "no, it goes with its last instance"],
    ...showServiceSettings(settings),
  ];
  const width = Math.max(...facts.map(([key]) => key.length));
  for (const [key, value] of facts) dw.output.styled(["faint", `${key.padEnd(width)}  `], ["plain", value]);
  if (service.instances.length === 0) return;
  dw.output.line();
  dw.output.table(instanceTable([service], dw.clock.nowMs(), { named: false }));
};
