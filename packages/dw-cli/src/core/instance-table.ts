import type { InstanceListing, ServiceListing } from "@datawire/api";
import { formatAge } from "./span.ts";
import { type Style, type TextTable, cell } from "./text-table.ts";

/** The instances of some services as a table; `named` adds the service. */
export function instanceTable(
  services: readonly ServiceListing[],
  nowMs: number,
  { named }: { readonly named: boolean },
): TextTable {
  return {
    columns: [
      { title: "INSTANCE", shrink: 4 },
      { title: "VERSION", shrink: 3 },
      { title: "STATE" },
      { title: "ROLE" },
      { title: "SINCE", shrink: 0 },
      { title: "URL", shrink: 2 },
      { title: "WHY", shrink: 1 },
    ],
    rows: services.flatMap(({ service, instances }) =>
      instances.map(({ name, version, state, role, since, url, reason }) => [
        named ? `//${service}@${name}` : name,
        version ?? "-",
        cell(state, STATE_STYLES[state]),
        role,
        formatAge(since, nowMs),
        url,
        reason ?? "",
      ]),
    ),
  };
}

const STATE_STYLES: Readonly<Record<InstanceListing["state"], Style>> = {
  live: "good",
  lost: "warning",
  draining: "warning",
  down: "bad",
};
