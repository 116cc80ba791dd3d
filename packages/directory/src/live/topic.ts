/** What became of a topic: rows as they are now, and the keys of those that are no more. */
export interface Changes {
  /** A row may lack fields, which are as they were. */
  readonly changed: readonly unknown[];
  readonly gone: readonly (string | number)[];
}

/** Something that is followed: whole at first, then by what changes of it. */
export interface Topic {
  /** How often it is looked at, at the most. */
  readonly everyMs: number;
  /** As its GET answers. */
  whole(): unknown;
  /** What changed since the last call, or since the topic was made; null for nothing. */
  changes(): Changes | null;
}

/** A topic of which the directory knows no change until it asks: each who follows it asks by itself. */
export interface AskedTopic {
  /** As its GET answers. */
  first(): Promise<unknown>;
  /** What changed since the last call; null for nothing. */
  next(): Promise<Changes | null>;
  /** Called once nobody follows it any more. */
  end?(): void;
}

/** What a topic of rows is made of. */
export interface RowSource<Row> {
  readonly everyMs: number;
  whole(): unknown;
  rows(): readonly Row[];
  keyOf(row: Row): string | number;
  /** Rows that have the same of this are taken for the same; default: all of them. */
  compared?(row: Row): unknown;
  /** What has to differ for the rows to be looked at; default: they always are. */
  version?(): unknown;
}

/** A topic whose rows are few enough to be compared one by one. */
export function rowsTopic<Row>(source: RowSource<Row>): Topic {
  const { everyMs, whole, rows, keyOf, compared = (row: Row): unknown => row, version = () => Number.NaN } = source;
  const look = (): Map<string | number, readonly [text: string, row: Row]> =>
    new Map(rows().map((row) => [keyOf(row), [JSON.stringify(compared(row)), row]]));
  let seen: unknown = version();
  let known = new Map([...look()].map(([key, [text]]) => [key, text]));
  return {
    everyMs,
    whole,
    changes() {
      const now = version();
      // What is no number differs from itself, so that rows without a version are always looked at.
      if (now === seen) return null;
      seen = now;
      const next = look();
      const changed = [...next].filter(([key, [text]]) => known.get(key) !== text).map(([, [, row]]) => row);
      const gone = [...known.keys()].filter((key) => !next.has(key));
      known = new Map([...next].map(([key, [text]]) => [key, text]));
      return changed.length + gone.length === 0 ? null : { changed, gone };
    },
  };
}

/** What a topic of one row is made of. */
export interface FieldsSource<Row extends object> {
  readonly everyMs: number;
  whole(): Row;
  /** Fields that have the same of this are taken for the same. */
  compared(row: Row): Row;
}

/** A topic of one row that is large, of which few fields change: these alone are told. */
export function fieldsTopic<Row extends object>({ everyMs, whole, compared }: FieldsSource<Row>): Topic {
  const textsOf = (row: Row): Map<string, string> =>
    new Map(Object.entries(compared(row)).map(([field, value]) => [field, JSON.stringify(value)]));
  let known: ReadonlyMap<string, string> | null = null;
  return {
    everyMs,
    whole() {
      const row = whole();
      // Whoever asks first asks as it is made: to look at it for that alone would cost as much again.
      known ??= textsOf(row);
      return row;
    },
    changes() {
      const row = whole();
      const next = textsOf(row);
      const before = known ?? next;
      const changed = Object.entries(row).filter(([field]) => before.get(field) !== next.get(field));
      known = next;
      return changed.length === 0 ? null : { changed: [Object.fromEntries(changed)], gone: [] };
    },
  };
}
