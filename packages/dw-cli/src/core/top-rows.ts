import type { Rates } from "./rates.ts";
import { formatShare } from "./span.ts";
import { type Cell, type Column, type Style, cell } from "./text-table.ts";
import type { Part, ServiceTraffic, Traffic } from "./traffic.ts";

/** What is on the screen of `dw top`: all services, or a part of one. */
export type TopView =
  | { readonly kind: "services" }
  | { readonly kind: "versions"; readonly service: string }
  | { readonly kind: "callers"; readonly service: string }
  | { readonly kind: "instances"; readonly service: string; readonly version: string | null };

/** A line that can be selected. */
export interface TopRow {
  readonly id: string;
  readonly requestsPerSecond: number;
  readonly cells: readonly (Cell | string)[];
  /** What is shown when it is opened; null at the end. */
  readonly opens: TopView | null;
}

/** The table of `dw top`, whose rows can be chosen and opened. */
export interface TopTable {
  readonly columns: readonly Column[];
  readonly rows: readonly TopRow[];
}

/** The lines of a view. A service that is gone has none. */
export function topTable(view: TopView, { services }: Traffic): TopTable {
  if (view.kind === "services") {
    return {
      columns: [{ title: "SERVICE", shrink: 1 }, { title: "STATUS" }, right("LIVE"), ...RATE_COLUMNS],
      rows: services.map((one) => ({
        id: one.service,
        requestsPerSecond: one.rates.requestsPerSecond,
        cells: [`//${one.service}`, stateCell(one.status), liveCell(one), ...rateCells(one.rates)],
        opens: { kind: "versions", service: one.service },
      })),
    };
  }
  const service = services.find((one) => one.service === view.service);
  switch (view.kind) {
    case "versions":
      return {
        columns: [{ title: "VERSION", shrink: 1 }, right("LIVE"), ...PART_COLUMNS, ...RATE_COLUMNS],
        rows: (service?.versions ?? []).map((one) => ({
          id: one.version ?? "",
          requestsPerSecond: one.rates.requestsPerSecond,
          cells: [one.version ?? NO_VERSION, liveCell(one), ...partCells(one), ...rateCells(one.rates)],
          opens: { kind: "instances", service: view.service, version: one.version },
        })),
      };
    case "callers":
      return {
        columns: [{ title: "CALLER", shrink: 1 }, { title: "VERSION", shrink: 2 }, ...PART_COLUMNS, ...RATE_COLUMNS],
        rows: (service?.callers ?? []).map((one) => ({
          id: `${one.caller} ${one.version ?? ""}`,
          requestsPerSecond: one.rates.requestsPerSecond,
          cells: [one.caller, one.version ?? NO_VERSION, ...partCells(one), ...rateCells(one.rates)],
          opens: { kind: "instances", service: view.service, version: one.version },
        })),
      };
    case "instances":
      return {
        columns: [{ title: "INSTANCE", shrink: 1 }, { title: "STATE" }, ...PART_COLUMNS, ...RATE_COLUMNS],
        rows: (service?.versions.find(({ version }) => version === view.version)?.instances ?? []).map((one) => ({
          id: one.name ?? "",
          requestsPerSecond: one.rates.requestsPerSecond,
          cells: [one.name ?? "(default URL)", stateCell(one.state), ...partCells(one), ...rateCells(one.rates)],
          opens: null,
        })),
      };
  }
}

const NO_VERSION = "(none)";

const right = (title: string): Column => ({ title, align: "right" });
const PART_COLUMNS: readonly Column[] = [right("SHARE"), right("GOT")];
const RATE_COLUMNS: readonly Column[] = [
  right("REQ/S"),
  right("ERRORS"),
  right("AVG MS"),
  right("P99 MS"),
  right("MAX MS"),
];

function partCells({ sharePercent, requestPercent }: Part): string[] {
  return [sharePercent, requestPercent].map((percent) => (percent === null ? "-" : formatShare(percent)));
}

function rateCells({ requestsPerSecond, errorPercent, averageMs, p99Ms, maxMs }: Rates): (Cell | string)[] {
  return [
    formatNumber(requestsPerSecond),
    errorPercent === null ? "-" : cell(formatShare(errorPercent), errorPercent > 0 ? "bad" : "plain"),
    averageMs === null ? "-" : formatNumber(averageMs),
    p99Ms === null ? "-" : p99Ms < 1 ? "<1" : Math.round(p99Ms).toLocaleString("en"),
    maxMs === null ? "-" : formatNumber(maxMs),
  ];
}

function liveCell({ live, registered }: Pick<ServiceTraffic, "live" | "registered">): Cell {
  return cell(`${live}/${registered}`, live === registered ? "plain" : live === 0 ? "bad" : "warning");
}

function stateCell(state: string): Cell {
  return cell(state, STATE_STYLES.get(state) ?? "plain");
}

/** How to have percentiles, where there are requests and no Sherlock has looked at one; null where there is no need. */
export function percentilesHint({ services }: Traffic): string | null {
  const isUnseen = services.every(({ rates }) => rates.p99Ms === null);
  if (!isUnseen || services.every(({ rates }) => rates.requestsPerSecond === 0)) return null;
  return "P99 wants `percentiles: on` in sherlock.yaml, or a share of requests such as 10%";
}

const STATE_STYLES: ReadonlyMap<string, Style> = new Map<string, Style>(
  Object.entries({
    live: "good",
    degraded: "warning",
    draining: "warning",
    lost: "warning",
    down: "bad",
    gone: "faint",
  }),
);

/** With one decimal where it says something. */
export function formatNumber(number: number): string {
  return number === 0 ? "0" : number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString("en");
}
