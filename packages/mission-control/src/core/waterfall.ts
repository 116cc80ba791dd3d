/** What a waterfall needs of a span. */
export interface SpanFacts {
  readonly spanId: string;
  readonly parentId: string | null;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly durationMs: number;
}

/** A span in its place: below its parent, and where its time lies within that of the trace. */
export interface Placed<S> {
  readonly span: S;
  /** 1 for a root. */
  readonly level: number;
  readonly children: number;
  /** Of the time of the trace, 0 to 100. */
  readonly left: number;
  /** Of the time of the trace, 0 to 100. */
  readonly width: number;
}

/** Spans as a tree from the top down, those of one parent by their start. A span whose parent is not there is a root. */
export function placeSpans<S extends SpanFacts>(spans: readonly S[]): Placed<S>[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const children = Map.groupBy(spans, (span) => parentOf(span, byId));
  const from = Math.min(...spans.map(({ start }) => start));
  const total = Math.max(1e-3, ...spans.map(({ start, durationMs }) => start + durationMs - from));
  const placed: Placed<S>[] = [];
  const seen = new Set<S>();
  // Without recursion: a trace may be as deep as it has spans.
  const place = (root: S): void => {
    const waiting = [{ span: root, level: 1 }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { span, level } = next;
      if (seen.has(span)) continue;
      seen.add(span);
      // Where two spans have one id, as of a client and its server, what is below them is shown once.
      const below = (children.get(span.spanId) ?? []).filter((child) => !seen.has(child));
      children.delete(span.spanId);
      placed.push({
        span,
        level,
        children: below.length,
        left: ((span.start - from) / total) * 100,
        width: (span.durationMs / total) * 100,
      });
      waiting.push(
        ...byStart(below)
          .map((child) => ({ span: child, level: level + 1 }))
          .reverse(),
      );
    }
  };
  for (const root of byStart(children.get(null) ?? [])) place(root);
  // Spans that name each other as parents have no root: they are shown all the same.
  for (const span of byStart(spans)) place(span);
  return placed;
}

function parentOf<S extends SpanFacts>({ spanId, parentId }: S, byId: ReadonlyMap<string, S>): string | null {
  return parentId !== null && parentId !== spanId && byId.has(parentId) ? parentId : null;
}

function byStart<S extends SpanFacts>(spans: readonly S[]): S[] {
  return spans.toSorted((a, b) => a.start - b.start);
}
