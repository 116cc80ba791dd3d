import { endpoints } from "@datawire/api";
import type { RouteTable } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { explain, listRoutes, sharedZone } from "@datawire/routing";
import { type DistributionRow, allRows, distributionTable } from "../../core/distribution-rows.ts";
import { type RowChange, createRowChanges } from "../../core/row-changes.ts";
import { type Cell, cell } from "../../core/text-table.ts";
import type { Dw } from "../../context/dw.ts";

/** Prints every distribution, or those of one service, then those that change, each time with a mark for what is new, gone or different. */
export async function followRoutes(
  dw: Dw,
  { json, service }: { readonly json: boolean; readonly service: string | null },
): Promise<void> {
  const of = (names: Iterable<string>): ReadonlySet<string> =>
    new Set([...names].filter((name) => service === null || name === service));
  // An unreachable directory is an error at the start; a connection that is lost later is awaited.
  let zones = await askZones(dw);
  const show = json ? jsonPrinter(dw, service) : tablePrinter(dw);
  const ended = new AbortController();
  let again = (): void => {};
  const following = dw.follow((table, { services }) => {
    show(table, of(services), zones);
    again = () => show(table, of(table.serviceNames()), zones);
  });
  // The zone of a caller is no part of the table, so that no change tells of it.
  const watchZones = async (): Promise<void> => {
    for (;;) {
      await dw.clock.sleep(ZONES_MS, ended.signal);
      if (ended.signal.aborted) return;
      const before = zones;
      zones = await askZones(dw).catch(() => before);
      if (!isSame(before, zones)) again();
    }
  };
  await Promise.all([following.finally(() => ended.abort()), watchZones()]);
}

/** How often it is asked where the callers are. */
const ZONES_MS = 5_000;

/** The zone of each caller that is in one. */
type Zones = ReadonlyMap<string, string>;

async function askZones(dw: Dw): Promise<Zones> {
  const { callers } = await dw.client.ask(endpoints.listCallers);
  const byName = Map.groupBy(callers, ({ name }) => name);
  return new Map(
    [...byName].flatMap(([name, those]) => {
      const zone = sharedZone(those.map((caller) => caller.zone));
      return zone === null ? [] : [[name, zone]];
    }),
  );
}

function isSame(a: Zones, b: Zones): boolean {
  return a.size === b.size && [...a].every(([caller, zone]) => b.get(caller) === zone);
}

type Show = (table: Catalog, services: ReadonlySet<string>, zones: Zones) => void;

function tablePrinter(dw: Dw): Show {
  const changes = createRowChanges();
  let first = true;
  return (table, services, zones) => {
    const nowMs = dw.clock.nowMs();
    const rowsOf = (service: string): DistributionRow[] => distributionRows(table, service, { zones, nowMs });
    const changed = [...services].sort().flatMap((service) => changes.take(service, rowsOf(service)));
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
function jsonPrinter(dw: Dw, service: string | null): Show {
  let last: string | null = null;
  return (table) => {
    const tables = [...table.routeTables()].filter((one) => service === null || one.service === service);
    const routes = tables.sort(byServiceAnyCallerFirst).flatMap((one) => listRoutes(table, one));
    const text = JSON.stringify(routes);
    if (text === last) return;
    last = text;
    dw.output.jsonLine(routes);
  };
}

function distributionRows(
  table: Catalog,
  service: string,
  { zones, nowMs }: { readonly zones: Zones; readonly nowMs: number },
): DistributionRow[] {
  const view = table.service(service);
  // A route may be ahead of its service.
  const tables = view?.tables ?? [...table.routeTables()].filter((one) => one.service === service);
  const callers = new Set(["*", ...tables.map(({ caller }) => caller)]);
  const distributions = [...callers].flatMap(
    (caller) => explain(table, service, { caller, zone: zones.get(caller) ?? null }) ?? [],
  );
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
