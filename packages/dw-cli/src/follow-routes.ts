import { type RouteTable, type Table, explain, listRoutes } from "@datawire/protocol";
import { type DistributionRow, allRows, distributionTable } from "./core/distribution-rows.ts";
import { type RowChange, createRowChanges } from "./core/row-changes.ts";
import { type Cell, cell } from "./core/text-table.ts";
import type { Dw } from "./dw.ts";

/** Prints every distribution, then those that change, each time with a mark for what is new, gone or different. */
export async function followRoutes(dw: Dw, json: boolean): Promise<void> {
  // A directory that is not there is told at once; one that goes away later is waited for.
  await dw.client.get("/v1/routes");
  const show = json ? jsonPrinter(dw) : tablePrinter(dw);
  await dw.follow((table, { services }) => show(table, services));
}

type Show = (table: Table, services: ReadonlySet<string>) => void;

function tablePrinter(dw: Dw): Show {
  const changes = createRowChanges();
  let first = true;
  return (table, services) => {
    const nowMs = dw.clock.nowMs();
    const changed = [...services].sort().flatMap((service) => changes.take(service, rowsOf(table, service, nowMs)));
    if (changed.length === 0 && !first) return;
    const rows = changed.map(({ row }) => row);
    if (first) {
      if (rows.length === 0) dw.output.note("the directory knows no service yet");
      else dw.output.table(distributionTable(rows));
    } else {
      dw.output.styled(["faint", new Date(nowMs).toISOString()]);
      dw.output.table(distributionTable(rows, changed.map(mark)));
    }
    first = false;
  };
}

/** One line for each state of the stored routes, in the form of `dw route list --json`. */
function jsonPrinter(dw: Dw): Show {
  let last: string | null = null;
  return (table) => {
    const routes = [...table.tables()].sort(byServiceAnyCallerFirst).flatMap((one) => listRoutes(table, one));
    const text = JSON.stringify(routes);
    if (text === last) return;
    last = text;
    dw.output.jsonLine(routes);
  };
}

function rowsOf(table: Table, service: string, nowMs: number): DistributionRow[] {
  const view = table.service(service);
  // A route may be ahead of its service.
  const tables = view?.tables ?? [...table.tables()].filter((one) => one.service === service);
  const callers = new Set(["*", ...tables.map(({ caller }) => caller)]);
  const distributions = [...callers].flatMap((caller) => explain(table, service, { caller, zone: null }) ?? []);
  const routes = tables.flatMap((one) => listRoutes(table, one));
  return allRows(distributions, routes, nowMs);
}

/** The order of `GET /v1/routes`. */
function byServiceAnyCallerFirst(a: RouteTable, b: RouteTable): number {
  const rank = ({ service, caller }: RouteTable): string => `${service} ${caller === "*" ? "" : caller}`;
  return rank(a) < rank(b) ? -1 : 1;
}

function mark({ kind }: RowChange): Cell {
  switch (kind) {
    case "new":
      return cell("+", "good");
    case "gone":
      return cell("-", "bad");
    case "changed":
      return cell("~", "warning");
  }
}
