import { endpoints } from "@datawire/api";
import { bindRaw, type BoundEndpoint } from "../router.ts";
import { listLogs, listTraces, showTrace, type TracesContext } from "./find.ts";
import { take } from "./take.ts";

/** Traces and logs: what is said of them, and what is asked. */
export function traceEndpoints(context: TracesContext): BoundEndpoint[] {
  return [
    bindRaw(endpoints.listTraces, (request) => listTraces(context, request)),
    bindRaw(endpoints.listLogs, (request) => listLogs(context, request)),
    bindRaw(endpoints.showTrace, (request) => showTrace(context, request)),
    bindRaw(endpoints.writeTraces, (request) => take(context, "traces", request)),
    bindRaw(endpoints.writeLogs, (request) => take(context, "logs", request)),
    bindRaw(endpoints.writeMetrics, (request) => take(context, "metrics", request)),
  ];
}
