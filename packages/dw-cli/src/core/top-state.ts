import { type TopRow, type TopTable, type TopView, topTable } from "./top-rows.ts";
import type { Traffic } from "./traffic.ts";

/** A key, as far as `dw top` knows it. */
export type TopKey =
  | "up"
  | "down"
  | "page-up"
  | "page-down"
  | "home"
  | "end"
  | "enter"
  | "back"
  | "callers"
  | "order"
  | "quit";

/** A view, and the line that is selected in it; null for the first. */
interface TopPlace {
  readonly view: TopView;
  readonly selected: string | null;
}

/** The place that is shown, and the places on the way back. */
export interface TopState {
  /** Never empty; the last is on the screen. */
  readonly trail: readonly TopPlace[];
  readonly order: "name" | "busy";
}

/** How `dw top` begins: with all services, by name. */
export const FIRST_STATE: TopState = { trail: [{ view: { kind: "services" }, selected: null }], order: "name" };

/** The lines of a state in their order, and the selected line. */
export interface TopSelection extends TopTable {
  readonly view: TopView;
  /** 0 when there is none. */
  readonly index: number;
}

/** What a state shows of the traffic of now. */
export function selectionOf({ trail, order }: TopState, traffic: Traffic): TopSelection {
  const { view, selected } = trail.at(-1) as TopPlace;
  const { columns, rows } = topTable(view, traffic);
  // By name, lines stay where they are from one picture to the next.
  const sorted = order === "name" ? rows : [...rows].sort((a, b) => b.requestsPerSecond - a.requestsPerSecond);
  return {
    view,
    columns,
    rows: sorted,
    index: Math.max(
      0,
      sorted.findIndex(({ id }) => id === selected),
    ),
  };
}

/** What a key makes of the state; null leaves. */
export function press(
  state: TopState,
  key: TopKey,
  { traffic, page }: { readonly traffic: Traffic; readonly page: number },
): TopState | null {
  const { view, rows, index } = selectionOf(state, traffic);
  const select = (at: number): TopState =>
    replaced(state, { view, selected: rows[Math.min(Math.max(at, 0), rows.length - 1)]?.id ?? null });
  switch (key) {
    case "up":
      return select(index - 1);
    case "down":
      return select(index + 1);
    case "page-up":
      return select(index - page);
    case "page-down":
      return select(index + page);
    case "home":
      return select(0);
    case "end":
      return select(rows.length - 1);
    case "enter":
      return opened(select(index), rows[index]);
    case "back":
      return state.trail.length === 1 ? state : { ...state, trail: state.trail.slice(0, -1) };
    case "callers":
      return switched(state, view);
    case "order":
      return { ...state, order: state.order === "name" ? "busy" : "name" };
    case "quit":
      return null;
  }
}

function opened(state: TopState, row: TopRow | undefined): TopState {
  if (row === undefined || row.opens === null) return state;
  return { ...state, trail: [...state.trail, { view: row.opens, selected: null }] };
}

/** Between what versions get and what each caller's requests come to. */
function switched(state: TopState, view: TopView): TopState {
  if (view.kind !== "versions" && view.kind !== "callers") return state;
  const other = view.kind === "versions" ? "callers" : "versions";
  return replaced(state, { view: { kind: other, service: view.service }, selected: null });
}

function replaced(state: TopState, place: TopPlace): TopState {
  return { ...state, trail: [...state.trail.slice(0, -1), place] };
}
