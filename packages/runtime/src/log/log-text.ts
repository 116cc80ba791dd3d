import { maskSecrets, printable, printableDocument, printableJson } from "@datawire/protocol";

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

/** A stream that takes JSON log lines and writes them safe for terminals, as nobody knows where a log is read, and without secrets. */
export function createJsonStream(target: LogStream): LogStream {
  return { write: (line) => target.write(safe(line)) };
}

/** A stream that takes JSON log lines and writes them as text for people: time, level, program, message, key=value. */
export function createTextStream(target: LogStream, { colour }: { readonly colour: boolean }): LogStream {
  return { write: (line) => target.write(formatLogLine(safe(line), { colour })) };
}

const safe = (line: string): string => printableDocument(maskSecrets(line));

/** One JSON log line as text. */
function formatLogLine(line: string, { colour }: { readonly colour: boolean }): string {
  const { time, level, name, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const label = String(level).toUpperCase().padEnd(5);
  const shown = colour ? `${colours.get(String(level)) ?? ""}${label}${RESET}` : label;
  const data = Object.entries(fields).map(([key, value]) => ` ${printable(key)}=${formatValue(value)}`);
  return `${clock} ${shown} ${String(name)}: ${printable(String(msg))}${data.join("")}\n`;
}

/** What is no plain word stands in quotes, as JSON, so that `key=value` can be taken apart again. */
function formatValue(value: unknown): string {
  const isWord = typeof value === "string" && /^[^\s"=]+$/u.test(value) && printable(value) === value;
  return isWord ? value : printableJson(value);
}
