import { endpoints } from "@datawire/api";
import { cell } from "../../core/text-table.ts";
import { bar, eventLine, formatMilliseconds, waterfall } from "../../core/waterfall.ts";
import { type RunCommand, flag, operand } from "../../context/dw.ts";
import { styleOfLevel } from "./levels.ts";

const BAR_WIDTH = 20;

/** One trace: its spans, each below its parent, and what was logged in it. */
export const run: RunCommand = async (dw, input) => {
  const trace = operand(input, 0);
  const answer = await dw.client.ask(endpoints.showTrace, { params: { trace } });
  if (flag(input, "json")) return dw.output.json(answer);
  const { traceId, spans, events, partial } = answer;
  dw.output.styled(["faint", "trace "], ["strong", traceId]);
  if (partial) dw.output.note("there may be more of this trace: it is too long, or a directory did not answer");
  if (spans.length > 0) {
    const rows = waterfall(spans);
    const wholeMs = rows.reduce((most, { span, offsetMs }) => Math.max(most, offsetMs + span.durationMs), 0);
    dw.output.line();
    dw.output.table({
      columns: [
        { title: "SPAN", shrink: 4 },
        { title: "SERVICE", shrink: 3 },
        { title: "INSTANCE", shrink: 1 },
        { title: "START", align: "right" },
        { title: "DURATION", align: "right" },
        { title: "", shrink: 2 },
        { title: "STATUS", shrink: 5 },
      ],
      rows: rows.map(({ span, depth, offsetMs }) => [
        `${"  ".repeat(Math.min(depth, 20))}${span.name}`,
        span.version === null ? (span.service ?? "-") : `${span.service ?? "-"}(${span.version})`,
        span.instance ?? "-",
        `+${formatMilliseconds(offsetMs)}`,
        formatMilliseconds(span.durationMs),
        bar({ offsetMs, durationMs: span.durationMs }, { wholeMs, width: BAR_WIDTH }),
        span.status === "error" ? cell(span.message === null ? "error" : `error: ${span.message}`, "bad") : "ok",
      ]),
    });
  }
  if (events.length === 0) return;
  dw.output.line();
  for (const event of events) {
    dw.output.styled(
      ["faint", `${new Date(event.timestamp).toISOString()}  `],
      [styleOfLevel(event.level), event.level.padEnd(8)],
      ["plain", `  ${event.service ?? event.node}  ${eventLine(event)}`],
    );
  }
};
