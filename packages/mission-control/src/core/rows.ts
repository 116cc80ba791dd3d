/** What a cell is compared by; null is unknown and comes last either way. */
export type Sortable = string | number | null;

/** How rows are in order: by which column, and whether from the largest. */
export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

/** Reads `rate` as ascending and `-rate` as descending; null where there is none. */
export function parseOrder(text: string | null): Order | null {
  if (text === null || text === "") return null;
  return text.startsWith("-") ? { column: text.slice(1), descending: true } : { column: text, descending: false };
}

/** Writes what `parseOrder` reads. */
export function formatOrder({ column, descending }: Order): string {
  return `${descending ? "-" : ""}${column}`;
}

/** Puts rows into order; those that are equal stay as they were. */
export function sortRows<T>(rows: readonly T[], valueOf: (row: T) => Sortable, descending: boolean): T[] {
  return rows.toSorted((left, right) => {
    const [a, b] = [valueOf(left), valueOf(right)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === "number" && typeof b === "number" ? a - b : compareText(String(a), String(b));
    return descending ? -order : order;
  });
}

const { compare: compareText } = new Intl.Collator("en", { numeric: true });

/** Whether all words of a search are somewhere in the texts, upper and lower case alike. */
export function matches(search: string, ...texts: readonly (string | null | undefined)[]): boolean {
  if (search === "") return true;
  const all = texts.join("\n").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
