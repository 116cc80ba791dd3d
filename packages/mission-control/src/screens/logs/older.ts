import { useEffect, useRef, useState } from "react";
import { useConsole } from "../../data/console.ts";
import { messageOf } from "../../data/refusal.ts";
import { type Filters, type Kind, type Listing, newestFirst, olderPage } from "./data.ts";

/** A list that can be read on. */
export interface Readable<Row> {
  readonly rows: readonly Row[];
  /** Reads the next page; null at the end. */
  readonly more: (() => void) | null;
  readonly isReading: boolean;
  /** Whether the last page had any rows: a search stops at a bound, and may find nothing until it is told to go on. */
  readonly isFinding: boolean;
  readonly error: string | null;
}

interface Older<Row> {
  readonly rows: readonly Row[];
  /** Of the next page; undefined while none was read. */
  readonly cursor: string | null | undefined;
}

/** More than anybody reads, and little enough for a browser. */
const ROWS_MAX = 20_000;

/** The newest rows and, as far as they were asked for, those before them. A new key begins anew. */
export function useOlder<Row>(newest: Listing<Row>, kind: Kind<Row>, filters: Filters): Readable<Row> {
  const { connection } = useConsole();
  const key = `${kind.topic}${JSON.stringify(filters)}`;
  const [older, setOlder] = useState<Older<Row>>({ rows: [], cursor: undefined });
  const [isReading, setReading] = useState(false);
  const [isFinding, setFinding] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const current = useRef(key);
  useEffect(() => {
    current.current = key;
    setOlder({ rows: [], cursor: undefined });
    setReading(false);
    setFinding(true);
    setError(null);
  }, [key]);
  const cursor = older.cursor === undefined ? newest.next : older.cursor;
  const rows = older.rows.length === 0 ? newest.rows : newestFirst(kind, [...newest.rows, ...older.rows]);
  const read = async (from: string): Promise<void> => {
    setReading(true);
    setError(null);
    try {
      const page = await olderPage(connection.client, kind, { filters, cursor: from });
      if (current.current !== key) return;
      setFinding(page.rows.length > 0);
      setOlder((before) => ({ rows: [...before.rows, ...page.rows], cursor: page.next }));
    } catch (failure) {
      if (current.current === key) setError(messageOf(failure));
    } finally {
      if (current.current === key) setReading(false);
    }
  };
  const more = cursor === null || rows.length >= ROWS_MAX ? null : () => void read(cursor);
  return { rows, more, isReading, isFinding: isFinding && newest.rows.length > 0, error };
}
