import type { KeyboardEvent } from "react";

const ROWS = "tr[data-key], li[data-key]";
/** What a row is entered by: its link, else its button, else itself. */
const ENTRY = "a, button:not(.fold-button)";

/** Moves the focus from row to row within a list: up and down by one, Home and End to the first and the last. */
export function moveInRows(event: KeyboardEvent<HTMLElement>): void {
  const { key, currentTarget: list } = event;
  const target = event.target as HTMLElement;
  if (target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...list.querySelectorAll<HTMLElement>(ROWS)];
  const at = rows.findIndex((row) => row.contains(target));
  if (key === "End") {
    event.preventDefault();
    // Of a long list only what is in view is drawn: first to its end, then to the row that is there by then.
    rows.at(-1)?.scrollIntoView({ block: "end" });
    window.scrollTo(0, document.documentElement.scrollHeight);
    requestAnimationFrame(() =>
      requestAnimationFrame(() => enter([...list.querySelectorAll<HTMLElement>(ROWS)].at(-1))),
    );
  } else if (key === "Home") {
    event.preventDefault();
    window.scrollTo(0, 0);
    requestAnimationFrame(() => requestAnimationFrame(() => enter(list.querySelector<HTMLElement>(ROWS))));
  } else if (key === "ArrowDown" || key === "ArrowUp") {
    // From the head of the list, down is its first row.
    const next = at < 0 ? (key === "ArrowDown" ? rows[0] : undefined) : rows[at + (key === "ArrowDown" ? 1 : -1)];
    if (next === undefined) return;
    event.preventDefault();
    enter(next);
  }
}

/** Goes into the first list of the page. @returns whether there is one */
export function enterFirstRow(): boolean {
  const first = document.querySelector<HTMLElement>(`main .table-frame tr[data-key]`);
  enter(first);
  return first !== null;
}

function enter(row: HTMLElement | null | undefined): void {
  if (row === null || row === undefined) return;
  const entry = row.querySelector<HTMLElement>(ENTRY) ?? row;
  entry.focus();
  row.scrollIntoView({ block: "nearest" });
}
