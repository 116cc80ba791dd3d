import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useRef, useState } from "react";

/** The height of a row that is not measured yet. */
export const ROW_PX = 33;
/** From here on only the rows in view are drawn: elements cost more than any framework. */
const WHOLE_MAX = 60;
/** Drawn before it is known how many are in view. */
const FIRST_ROWS = 40;

/** Stands for rows that are left out, as high as they are. */
export function Gap({ height, span }: { readonly height: number; readonly span: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" className="gap">
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

interface RowWindow<Row> {
  readonly shown: readonly Row[];
  /** Where the first of them stands among all rows. */
  readonly first: number;
  /** Heights of what is left out above and below, in pixels. */
  readonly before: number;
  readonly after: number;
  /** Takes how high a row is; null where all are drawn. */
  readonly sized: ((row: Row, height: number) => void) | null;
  /** Brings a row into view by its place among all, where it is not drawn. */
  reveal(index: number): void;
}

/** The rows in view, and how high what is left out is. */
export function useRowWindow<Row>(
  rows: readonly Row[],
  body: { readonly current: HTMLElement | null },
): RowWindow<Row> {
  const [top, setTop] = useState(0);
  const isWhole = rows.length <= WHOLE_MAX;
  // With each drawing: what stands above it may have become higher, as another long table does.
  useLayoutEffect(() => {
    if (!isWhole) setTop(Math.round((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY));
  });
  const virtual = useWindowVirtualizer({
    count: isWhole ? 0 : rows.length,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: top,
  });
  const indexes = useRef(new Map<Row, number>());
  const sized = useCallback(
    (row: Row, height: number): void => {
      const index = indexes.current.get(row);
      if (index !== undefined) virtual.resizeItem(index, height);
    },
    [virtual],
  );
  const reveal = useCallback((index: number) => virtual.scrollToIndex(index, { align: "center" }), [virtual]);
  if (isWhole) return { shown: rows, first: 0, before: 0, after: 0, sized: null, reveal: () => {} };
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0], items.at(-1)];
  if (first === undefined || last === undefined)
    return { shown: rows.slice(0, FIRST_ROWS), first: 0, before: 0, after: 0, sized: null, reveal };
  indexes.current = new Map(items.flatMap(({ index }) => (index < rows.length ? [[rows[index] as Row, index]] : [])));
  return {
    sized,
    reveal,
    first: first.index,
    shown: rows.slice(first.index, last.index + 1),
    before: first.start - top,
    after: Math.max(0, virtual.getTotalSize() - (last.end - top)),
  };
}

/** Keys that differ also where two rows are called the same: what the first is called, and then numbered. */
export function uniqueKeys<Row>(rows: readonly Row[], keyOf: (row: Row) => string): string[] {
  const counts = new Map<string, number>();
  return rows.map((row) => {
    const key = keyOf(row);
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count === 0 ? key : `${key} #${count}`;
  });
}
