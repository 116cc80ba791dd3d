import { useEffect, useRef } from "react";
import { plural } from "../../core/format.ts";
import type { Readable } from "./older.ts";

/** What stands below a list that can be read on; it is read on by itself where its end comes into view. */
export function More<Row>({ list: { rows, more, isReading, isFinding, error } }: { readonly list: Readable<Row> }) {
  const button = useRef<HTMLButtonElement>(null);
  const read = useRef(more);
  read.current = isReading || error !== null ? null : more;
  const isReadOn = more !== null && isFinding;
  useEffect(() => {
    const element = button.current;
    if (element === null || !isReadOn) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) read.current?.();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [isReadOn, isReading, rows.length]);
  return (
    <>
      {error === null ? null : (
        <p role="alert" className="banner banner-bad">
          {error}
        </p>
      )}
      <p className="more-rows">
        <span className="quiet">{plural(rows.length, "row")}</span>
        {more === null ? null : (
          <button ref={button} type="button" aria-disabled={isReading || undefined} onClick={() => read.current?.()}>
            {isReading ? "Reading …" : error !== null ? "Try again" : rows.length === 0 ? "Search on" : "Show older"}
          </button>
        )}
      </p>
    </>
  );
}
