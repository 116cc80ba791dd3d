import { type Cell, cell } from "../../core/text-table.ts";
import { percentilesHint, type TopTable, type TopView, topTable } from "../../core/top-rows.ts";
import { count } from "../../core/span.ts";
import type { ServiceTraffic, Traffic } from "../../core/traffic.ts";
import { inSight, type Output } from "../../context/output.ts";

/** Prints all services, and of each its versions, callers and instances; to somebody who looks on, of those in sight alone. */
export function printTraffic(output: Output, all: Traffic): void {
  output.styled(["faint", `From ${all.from} until ${all.until}`]);
  const hint = percentilesHint(all);
  if (hint !== null) output.styled(["faint", hint]);
  const { shown, left } = inSight(output, worstFirst(all.services));
  const traffic = left === 0 ? all : { ...all, services: shown };
  print(output, { kind: "services" }, traffic);
  if (left > 0) output.line(`and ${count(left, "service")} more: ${ALL}`);
  for (const { service, versions, callers } of traffic.services) {
    print(output, { kind: "versions", service }, traffic, `//${service} by version`);
    if (callers.length > 0) print(output, { kind: "callers", service }, traffic, `//${service} by caller`);
    for (const { version } of inSight(output, versions).shown) {
      const title = `//${service} version ${version ?? "(none)"} by instance`;
      print(output, { kind: "instances", service, version }, traffic, title);
    }
  }
}

const ALL = "`dw top --once | less` has all";

/** Those that are not live, then those with the most errors, then the busiest, each in the order that they came in. */
function worstFirst(services: readonly ServiceTraffic[]): readonly ServiceTraffic[] {
  const isLive = ({ status }: ServiceTraffic): number => (status === "live" ? 1 : 0);
  return services.toSorted(
    (a, b) =>
      isLive(a) - isLive(b) ||
      b.rates.errorsPerSecond - a.rates.errorsPerSecond ||
      b.rates.requestsPerSecond - a.rates.requestsPerSecond,
  );
}

function print(output: Output, view: TopView, traffic: Traffic, title?: string): void {
  const { columns, rows: all }: TopTable = topTable(view, traffic);
  const indent: Cell = cell("", "plain");
  if (title !== undefined) {
    output.line();
    output.styled(["strong", title]);
  }
  if (all.length === 0) return output.line("none");
  const busiest = all.toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond);
  const { shown, left } = inSight(output, busiest);
  const rows = left === 0 ? all : shown;
  output.table(
    title === undefined
      ? { columns, rows: rows.map(({ cells }) => cells) }
      : { columns: [{ title: "" }, ...columns], rows: rows.map(({ cells }) => [indent, ...cells]) },
  );
  if (left > 0) output.line(`  and ${left} more: ${ALL}`);
}
