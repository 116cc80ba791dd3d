/** The part of a stream that a log needs; `process.stderr` is one. */
export interface LogStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const RESET = "\u001B[0m";
const colours: ReadonlyMap<string, string> = new Map(
  Object.entries({
    debug: "\u001B[2m",
    info: "\u001B[32m",
    warn: "\u001B[33m",
    error: "\u001B[31m",
  }),
);

/** A stream that takes JSON log lines and writes them as text for people: time, level, program, message, key=value. */
export function createTextStream(target: LogStream, { colour }: { readonly colour: boolean }): LogStream {
  return { write: (line) => target.write(formatLogLine(line, { colour })) };
}

/** One JSON log line as text. */
function formatLogLine(line: string, { colour }: { readonly colour: boolean }): string {
  const { time, level, name, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const label = String(level).toUpperCase().padEnd(5);
  const shown = colour ? `${colours.get(String(level)) ?? ""}${label}${RESET}` : label;
  const data = Object.entries(fields).map(([key, value]) => ` ${key}=${formatValue(value)}`);
  return `${clock} ${shown} ${String(name)}: ${printable(String(msg))}${data.join("")}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=\p{Cc}]+$/u.test(value)) return value;
  return JSON.stringify(value);
}

/** What comes from outside may hold escape sequences; a terminal must not obey them. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, (c) => JSON.stringify(c).slice(1, -1));
