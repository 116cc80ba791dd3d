import { endpoints, type ServiceListing } from "@datawire/api";
import { type Style, cell } from "../../core/text-table.ts";
import { type RunCommand, flag, optionText } from "../../context/dw.ts";

/** Every service with how it stands, or those that are looked for. */
export const run: RunCommand = async (dw, input) => {
  const all = (await dw.client.ask(endpoints.listServices)).services;
  const part = input.operands[0]?.replace(/^\/\//, "").toLowerCase() ?? "";
  const wanted = optionText(input, "status") ?? null;
  const services = all.filter(
    ({ service, status }) => service.includes(part) && (wanted === null || status === wanted),
  );
  if (flag(input, "json")) return dw.output.json(services);
  if (services.length === 0)
    return dw.output.note(
      all.length === 0 ? "the directory knows no service yet" : `none of ${all.length} services fits`,
    );
  dw.output.table({
    columns: [
      { title: "SERVICE", shrink: 2 },
      { title: "STATUS" },
      { title: "PRIMARY" },
      { title: "LIVE", align: "right" },
      { title: "HELD", align: "right" },
      { title: "PROTOCOL", shrink: 0 },
      { title: "WHY", shrink: 1 },
    ],
    rows: services.map(({ service, status, primary, instances, protocol, reason }) => [
      service,
      // Live, and nothing of it is: what there is of it is where its messages wait.
      protocol === "amqp" && status === "live" && instances.length === 0
        ? cell("queue", "faint")
        : cell(status, STATUS_STYLES[status]),
      primary ?? "-",
      `${live(instances)}/${instances.length}`,
      String(instances.filter(({ role }) => role === "held").length),
      protocol,
      reason ?? instances.find(({ findings }) => findings !== undefined)?.reason ?? "",
    ]),
  });
};

const STATUS_STYLES: Readonly<Record<ServiceListing["status"], Style>> = {
  live: "good",
  degraded: "warning",
  down: "bad",
};

function live(instances: ServiceListing["instances"]): number {
  return instances.filter(({ state }) => state === "live" || state === "lost").length;
}
