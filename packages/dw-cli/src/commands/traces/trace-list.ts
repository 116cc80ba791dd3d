import { endpoints } from "@datawire/api";
import { cell } from "../../core/text-table.ts";
import { formatMilliseconds } from "../../core/waterfall.ts";
import { type RunCommand, flag, optionText } from "../../context/dw.ts";
import { asTyped, LIMIT_DEFAULT, noteLosses, queryOf, readCount, serviceOf } from "./common.ts";

/** Traces, the newest first. */
export const run: RunCommand = async (dw, input) => {
  const limit = readCount(optionText(input, "limit") ?? LIMIT_DEFAULT, "--limit");
  const query = {
    ...asTyped(input, ["min", "since", "from", "to", "level"]),
    ...queryOf(input),
    ...serviceOf(input),
    ...(flag(input, "error") ? { error: "true" } : {}),
  };
  const traces = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof ask>> = await ask(limit - traces.length, cursor);
    traces.push(...page.traces);
    cursor = page.next;
    if (cursor === null || traces.length >= limit) noteLosses(dw, page);
  } while (cursor !== null && traces.length < limit);
  if (flag(input, "json")) return dw.output.json(traces);
  if (traces.length === 0) return dw.output.note("no trace was found");
  dw.output.table({
    columns: [
      { title: "WHEN" },
      { title: "TRACE", shrink: 3 },
      { title: "SERVICE", shrink: 1 },
      { title: "NAME", shrink: 2 },
      { title: "SPANS", align: "right" },
      { title: "EVENTS", align: "right" },
      { title: "ERRORS", align: "right" },
      { title: "DURATION", align: "right" },
    ],
    rows: traces.map((trace) => [
      new Date(trace.firstMs).toISOString(),
      trace.traceId,
      trace.service ?? "-",
      trace.name ?? "-",
      String(trace.spans),
      String(trace.events),
      trace.errors === 0 ? "0" : cell(String(trace.errors), "bad"),
      formatMilliseconds(trace.durationMs),
    ]),
  });

  function ask(left: number, from: string | null) {
    const page = { limit: String(Math.min(left, 1_000)), ...(from === null ? {} : { cursor: from }) };
    return dw.client.ask(endpoints.listTraces, { query: { ...query, ...page } });
  }
};
