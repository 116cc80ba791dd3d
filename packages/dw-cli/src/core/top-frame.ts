import { printable } from "@datawire/protocol";
import { count, formatShare } from "./span.ts";
import { type Layout, cell, layoutTable } from "./text-table.ts";
import { formatNumber, percentilesHint } from "./top-rows.ts";
import { type TopState, selectionOf } from "./top-state.ts";
import type { Traffic } from "./traffic.ts";

/** What one picture of `dw top` shows. */
export interface Frame {
  readonly traffic: Traffic;
  /** Why the traffic is not that of now; null when it is. */
  readonly error: string | null;
  /** The directory, as it is shown. */
  readonly directory: string;
}

const HEAD_LINES = 3;
const FOOT_LINES = 3;

/** How many lines of the table fit, beside its header. */
export const pageOf = (height: number): number => Math.max(1, height - HEAD_LINES - 1 - FOOT_LINES);

/** The lines of a screen of `dw top`, from top to bottom; as many as fit. */
export function topFrame(
  state: TopState,
  { traffic, error, directory }: Frame,
  { height, ...layout }: Layout & { readonly height: number },
): string[] {
  const { view, columns, rows, index } = selectionOf(state, traffic);
  const page = pageOf(height);
  // A whole page at a time, so that lines stay where they are while one moves among them.
  const first = Math.floor(index / page) * page;
  const shown = rows.slice(first, first + page).map(({ cells }, i) => {
    const isSelected = first + i === index;
    return [
      cell(isSelected ? ">" : " ", "strong"),
      ...cells.map((one, at) => (at === 0 && isSelected && typeof one === "string" ? cell(one, "strong") : one)),
    ];
  });
  const table = layoutTable({ columns: [{ title: "" }, ...columns], rows: shown }, layout);
  const until = new Date(Date.parse(traffic.until)).toISOString().slice(11, 19);
  const seconds = Math.round((Date.parse(traffic.until) - Date.parse(traffic.from)) / 1_000);
  const { paint, width } = layout;
  const fit = (text: string): string => printable(text).slice(0, width);
  const more = rows.length > page ? `, ${first + 1} to ${first + shown.length} of ${rows.length}` : "";
  const hint = percentilesHint(traffic);
  const head = [
    paint("strong", fit(`dw top  ${directory}  ${titleOf(view)}`)),
    error === null
      ? fit(`${totalText(traffic)}; ${seconds} s until ${until}Z${more}`)
      : paint("bad", fit(`${error}; this is of ${until}Z`)),
    hint === null ? "" : paint("faint", fit(hint)),
  ];
  const body = rows.length === 0 ? [paint("faint", fit(emptyText(view.kind)))] : table;
  const room = height - head.length - FOOT_LINES;
  const filled = [...body, ...Array<string>(Math.max(0, room - body.length)).fill("")].slice(0, Math.max(0, room));
  const foot = [
    paint("faint", fit(EXPLANATIONS[view.kind])),
    paint("faint", fit("AVG of the last 1,024 requests, MAX since HAProxy's reload, P99 until the head")),
    paint(
      "faint",
      fit(
        `arrows, enter, backspace; ${view.kind === "versions" ? "c callers, " : view.kind === "callers" ? "c versions, " : ""}s ${state.order === "name" ? "busiest first" : "by name"}, q quit`,
      ),
    ),
  ];
  return [...head, ...filled, ...foot].slice(0, height);
}

const EXPLANATIONS = {
  services: "ERRORS: answers of 5xx, and requests that got none",
  versions: "SHARE of any caller's requests by the routes, GOT of all that came",
  callers: "SHARE of the caller's requests by its routes, GOT of those that came",
  instances: "SHARE of any caller's requests by the routes, GOT of all that came",
} as const;

function totalText({ services }: Traffic): string {
  const sum = (key: "requestsPerSecond" | "errorsPerSecond"): number =>
    services.reduce((total, { rates }) => total + rates[key], 0);
  const [requests, errors] = [sum("requestsPerSecond"), sum("errorsPerSecond")];
  const share = requests === 0 ? "" : `, ${formatShare(Math.min(100, (errors / requests) * 100))} errors`;
  return `${count(services.length, "service")}, ${formatNumber(requests)} requests/s${share}`;
}

function titleOf(view: ReturnType<typeof selectionOf>["view"]): string {
  switch (view.kind) {
    case "services":
      return "all services";
    case "versions":
      return `//${view.service} by version`;
    case "callers":
      return `//${view.service} by caller`;
    case "instances":
      return `//${view.service} version ${view.version ?? "(none)"} by instance`;
  }
}

function emptyText(kind: ReturnType<typeof selectionOf>["view"]["kind"]): string {
  switch (kind) {
    case "services":
      return "The directory knows no service yet";
    case "callers":
      return "Nobody has called, and no caller has routes of its own";
    case "versions":
    case "instances":
      return "There is none any more";
  }
}
