export { traceIdOf } from "../session/trace-id.ts";

/** What `traceparent` of W3C Trace Context says. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads the header (W3C Trace Context, section 3.2); null for what says nothing. */
export function parseTraceParent(text: string | null | undefined): TraceParent | null {
  const [, version, traceId = "", spanId = "", flags = "", rest] = PATTERN.exec(text?.trim() ?? "") ?? [];
  // Later versions may say more at the end; version 00 does not, and there is none with ff.
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes the header of a span. @param traceId as W3C has it. */
export function formatTraceParent(traceId: string, spanId: string): string {
  return `00-${traceId}-${spanId}-01`;
}

/** The id of a trace as sessions have it. */
export function uuidOf(traceId: string): string {
  return traceId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
