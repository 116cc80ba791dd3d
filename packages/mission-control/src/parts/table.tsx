import { memo, type ReactNode, useLayoutEffect, useMemo, useRef } from "react";
import { cellClass } from "../core/cell-class.ts";
import { formatOrder, parseOrder, type Sortable, sortRows } from "../core/rows.ts";
import { useParam } from "../data/console.ts";
import { moveInRows } from "./move-in-rows.ts";
import { useStickyHead } from "./sticky-head.ts";
import { Gap, ROW_PX, uniqueKeys, useRowWindow } from "./row-window.tsx";

/** A column of a table: its cells, and what they are compared by. */
export interface Column<Row> {
  /** Goes into `data-col` and into the address. */
  readonly key: string;
  readonly title: string;
  /** The raw value, which goes into `data-value` and which rows are sorted by; null is unknown. */
  value(row: Row): Sortable;
  /** What is shown; left out, the value itself. */
  show?(row: Row): ReactNode;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
}

interface TableProps<Row> {
  /** What it is a table of. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** The search parameter that holds its order; a screen with two tables has two. */
  readonly orderParam?: string;
  /** What stands at the end of a row. */
  actions?(row: Row): ReactNode;
  /** What follows a row while it is unfolded. */
  detail?(row: Row): ReactNode;
}

/** A dense table that is sorted by its heads; up, down, Home and End go from row to row. */
export function Table<Row>({ label, rows, columns, keyOf, orderParam = "sort", actions, detail }: TableProps<Row>) {
  const [order, setOrder] = useParam(orderParam);
  const { column, descending } = parseOrder(order) ?? { column: "", descending: false };
  const sorted = useMemo(() => {
    const by = columns.find(({ key }) => key === column);
    return by === undefined ? rows : sortRows(rows, (row) => by.value(row), descending);
  }, [rows, columns, column, descending]);
  const body = useRef<HTMLTableSectionElement>(null);
  useStickyHead(body);
  const { shown, before, after, sized } = useRowWindow(sorted, body);
  const ids = uniqueKeys(shown, keyOf);
  const span = columns.length + (actions === undefined ? 0 : 1);
  const sortBy = ({ key, isNumber }: Column<Row>): void => {
    const next = column === key ? !descending : isNumber === true;
    setOrder(formatOrder({ column: key, descending: next }), true);
  };
  return (
    <div className="table-frame" role="region" aria-label={label} tabIndex={0} onKeyDown={moveInRows}>
      <table className="table" aria-rowcount={sorted.length + 1}>
        <thead>
          <tr>
            {columns.map((each) => (
              <th
                key={each.key}
                scope="col"
                className={each.isNumber === true ? "number" : undefined}
                aria-sort={each.key === column ? (descending ? "descending" : "ascending") : undefined}
              >
                <button type="button" className="sort" onClick={() => sortBy(each)}>
                  {each.title}
                  <span aria-hidden="true">{each.key === column ? (descending ? " ↓" : " ↑") : ""}</span>
                </button>
              </th>
            ))}
            {actions === undefined ? null : (
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody ref={body}>
          <Gap height={before} span={span} />
          {shown.map((row, i) => (
            <Row key={ids[i] ?? ""} id={keyOf(row)} {...{ row, columns, actions, detail, span, sized }} />
          ))}
          <Gap height={after} span={span} />
        </tbody>
      </table>
    </div>
  );
}

interface RowProps<T> extends Pick<TableProps<T>, "columns"> {
  readonly row: T;
  readonly id: string;
  readonly actions: TableProps<T>["actions"] | undefined;
  readonly detail: TableProps<T>["detail"] | undefined;
  readonly span: number;
  readonly sized: ((row: T, height: number) => void) | null;
}

/** Drawn anew only where its row is another one: letters of a search, and what is told of other rows, change none. */
const Row = memo(DrawnRow) as typeof DrawnRow;

function DrawnRow<T>({ row, id, columns, actions, detail, span, sized }: RowProps<T>) {
  const below = detail?.(row) ?? null;
  const own = useRef<HTMLTableRowElement>(null);
  const unfolded = useRef<HTMLTableRowElement>(null);
  useLayoutEffect(() => {
    sized?.(row, (own.current?.offsetHeight ?? ROW_PX) + (unfolded.current?.offsetHeight ?? 0));
  });
  return (
    <>
      <tr ref={own} data-testid="row" data-key={id} tabIndex={-1}>
        {columns.map((column) => {
          const value = column.value(row);
          return (
            <td
              key={column.key}
              data-col={column.key}
              data-value={value ?? undefined}
              className={cellClass(value, column.isNumber)}
            >
              {column.show === undefined ? (value ?? "–") : column.show(row)}
            </td>
          );
        })}
        {actions === undefined ? null : <td className="row-actions">{actions(row)}</td>}
      </tr>
      {below === null ? null : (
        <tr ref={unfolded} className="detail">
          <td colSpan={span}>{below}</td>
        </tr>
      )}
    </>
  );
}
