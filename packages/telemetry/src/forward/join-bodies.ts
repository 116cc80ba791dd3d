import type { Format, Signal } from "../otlp/signals.ts";

/** The list that a request holds. */
const LISTS = { traces: "resourceSpans", logs: "resourceLogs", metrics: "resourceMetrics" } as const satisfies Record<
  Signal,
  string
>;

/** Makes one body of several of one kind; nothing of them changes. */
export function joinBodies(
  bodies: readonly Uint8Array[],
  { signal, format }: { readonly signal: Signal; readonly format: Format },
): Uint8Array {
  const [only] = bodies;
  if (only !== undefined && bodies.length === 1) return only;
  // Messages of protobuf with lists alone, one after the other, are the message with all of these (protobuf.dev,
  // "Encoding", "Last One Wins").
  if (format === "protobuf") return Buffer.concat(bodies);
  const list = LISTS[signal];
  const joined = bodies.flatMap((body) => {
    const { [list]: one } = JSON.parse(Buffer.from(body).toString()) as Readonly<Record<typeof list, unknown>>;
    return Array.isArray(one) ? (one as unknown[]) : [];
  });
  return Buffer.from(JSON.stringify({ [list]: joined }));
}
