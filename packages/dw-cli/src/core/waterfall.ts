import type { LogEvent, Span } from "@datawire/api";

/** One line of the picture of a trace. */
export interface WaterfallRow {
  readonly span: Span;
  /** How deep it is below a span without a parent. */
  readonly depth: number;
  /** When it began, in milliseconds after the trace. */
  readonly offsetMs: number;
}

/** The spans of a trace, each below its parent; those of one parent by when they began. */
export function waterfall(spans: readonly Span[]): WaterfallRow[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentId, spanId }) =>
    parentId !== null && parentId !== spanId && known.has(parentId) ? parentId : null,
  );
  const startMs = spans.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const rows: WaterfallRow[] = [];
  const placed = new Set<Span>();
  // On a stack of its own: a trace may be deeper than that of calls.
  const place = (roots: readonly Span[]): void => {
    const open = roots.toReversed().map((span) => ({ span, depth: 0 }));
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { span, depth } = next;
      if (placed.has(span)) continue;
      placed.add(span);
      rows.push({ span, depth, offsetMs: span.start - startMs });
      for (const child of (children.get(span.spanId) ?? []).toReversed()) open.push({ span: child, depth: depth + 1 });
    }
  };
  place(children.get(null) ?? []);
  // Spans that name each other as parents hang from nothing.
  place(spans);
  return rows;
}

/** A bar for what part of the whole a span took, `··██·`. */
export function bar(
  { offsetMs, durationMs }: { readonly offsetMs: number; readonly durationMs: number },
  { wholeMs, width }: { readonly wholeMs: number; readonly width: number },
): string {
  const scale = wholeMs > 0 ? width / wholeMs : 0;
  const from = Math.min(width - 1, Math.floor(offsetMs * scale));
  const length = Math.max(1, Math.min(width - from, Math.round(durationMs * scale)));
  return `${"·".repeat(from)}${"█".repeat(length)}${"·".repeat(width - from - length)}`;
}

/** A duration for people: `0.25 ms`, `8 ms`, `1.2 s`. */
export function formatMilliseconds(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1_000)} s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms >= 10 || ms === 0) return `${Math.round(ms)} ms`;
  return `${Number(ms.toPrecision(2))} ms`;
}

/** An event in one line, without its moment. */
export const eventLine = ({ text }: Pick<LogEvent, "text">): string => text.replaceAll(/\s*\n\s*/g, " ⏎ ");
