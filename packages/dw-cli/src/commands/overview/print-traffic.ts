import { type Cell, cell } from "../../core/text-table.ts";
import { percentilesHint, type TopTable, type TopView, topTable } from "../../core/top-rows.ts";
import type { Traffic } from "../../core/traffic.ts";
import type { Output } from "../../context/output.ts";

/** Prints all services, and of each its versions, callers and instances. */
export function printTraffic(output: Output, traffic: Traffic): void {
  output.styled(["faint", `From ${traffic.from} until ${traffic.until}`]);
  const hint = percentilesHint(traffic);
  if (hint !== null) output.styled(["faint", hint]);
  print(output, { kind: "services" }, traffic);
  for (const { service, versions, callers } of traffic.services) {
    print(output, { kind: "versions", service }, traffic, `//${service} by version`);
    if (callers.length > 0) print(output, { kind: "callers", service }, traffic, `//${service} by caller`);
    for (const { version } of versions) {
      const title = `//${service} version ${version ?? "(none)"} by instance`;
      print(output, { kind: "instances", service, version }, traffic, title);
    }
  }
}

function print(output: Output, view: TopView, traffic: Traffic, title?: string): void {
  const { columns, rows }: TopTable = topTable(view, traffic);
  const indent: Cell = cell("", "plain");
  if (title !== undefined) {
    output.line();
    output.styled(["strong", title]);
  }
  if (rows.length === 0) return output.line("none");
  output.table(
    title === undefined
      ? { columns, rows: rows.map(({ cells }) => cells) }
      : { columns: [{ title: "" }, ...columns], rows: rows.map(({ cells }) => [indent, ...cells]) },
  );
}
