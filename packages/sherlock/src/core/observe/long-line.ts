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

/** Whether a line is the long form for a request, and not a message of HAProxy itself. */
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

/**
 * The number in a field, without the sign by which HAProxy says that the response went on or that another server was
 * tried; -1 for none.
 */
export function numberIn(text: string): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : -1;
}
