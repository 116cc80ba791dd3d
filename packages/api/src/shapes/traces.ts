import { LOG_LEVELS, logEventSchema } from "@datawire/protocol";
import { z } from "zod";

/** A trace in a line. Times are milliseconds since 1970, by the clocks of those who logged. */
const traceSummary = z.object({
  traceId: z.string(),
  firstMs: z.number(),
  lastMs: z.number(),
  /** How many events are kept. */
  events: z.int(),
  /** The worst of any. */
  level: z.enum(LOG_LEVELS),
  /** The processes that logged. */
  nodes: z.array(z.string()),
});

/** What has been logged, in a line for each trace. */
export const tracesAnswer = z.object({ traces: z.array(traceSummary) });

/** The log events of one trace. */
export const traceAnswer = z.object({
  traceId: z.string(),
  events: z.array(logEventSchema.extend({ node: z.string() })),
});
