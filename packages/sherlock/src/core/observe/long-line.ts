/** As the access log names them; `defaults.hbs` has the order of those of a short line. */
const NAMES = [
  "line",
  "time",
  "idleMs",
  "client",
  "service",
  "backend",
  "instance",
  "method",
  "path",
  "status",
  "bytes",
  "queueMs",
  "connectMs",
  "responseMs",
  "totalMs",
  "retries",
  "end",
  "traceparent",
  "traceId",
  "spanId",
  "parentId",
] as const;

/** What a long line says, as text: `-` for what it does not say. */
export type LineFields = Readonly<Record<(typeof NAMES)[number], string>>;

/** Whether it is a line of a request with all that is known of it, and not one of HAProxy itself. */
export const isLongLine = (line: string): boolean => line.startsWith("[") || line.startsWith("{");

/** The fields of a long line; null for one that was cut short. */
export function fieldsOf(line: string): LineFields | null {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return null;
  }
  const values = Array.isArray(read) ? read : NAMES.map((name) => (read as Readonly<Record<string, unknown>>)[name]);
  return Object.fromEntries(NAMES.map((name, i) => [name, textOf(values[i])])) as LineFields;
}

const textOf = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? `${value}` : "-");

/** A number in a field, of which a sign says that the response went on, or that another server was tried; else -1. */
export function numberIn(text: string): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : -1;
}
