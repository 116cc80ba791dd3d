import { printable, printableJson } from "@datawire/protocol";
import { styleText } from "node:util";
import { type Style, layoutTable } from "../core/text-table.ts";
import type { Output } from "../context/output.ts";

/** What an output writes to, and how wide it is. */
export interface TerminalStreams {
  stdout(text: string): void;
  stderr(text: string): void;
  /** In characters; Infinity where stdout is no terminal. */
  readonly width: number;
  readonly colour: boolean;
}

/** Makes the output of a process. Text that comes from elsewhere is made safe on its way out. */
export function createOutput({ stdout, stderr, width, colour }: TerminalStreams): Output {
  const paint = painter(colour);
  return {
    isTerminal: width !== Number.POSITIVE_INFINITY,
    line: (text = "") => stdout(`${printable(text)}\n`),
    styled: (...parts) => stdout(`${parts.map(([style, text]) => paint(style, printable(text))).join("")}\n`),
    table: (table) => stdout(`${layoutTable(table, { width, paint }).join("\n")}\n`),
    json: (value) => stdout(`${printableJson(value, 2)}\n`),
    jsonLine: (value) => stdout(`${printableJson(value)}\n`),
    note: (text) => stderr(`note: ${printable(text)}\n`),
  };
}

/** Gives text its style on a terminal that shows colours; elsewhere, it stays as it is. */
export function painter(colour: boolean): (style: Style, text: string) => string {
  return (style, text) => {
    const format = FORMATS[style];
    return colour && format !== null ? styleText(format, text, { validateStream: false }) : text;
  };
}

const FORMATS: Readonly<Record<Style, Parameters<typeof styleText>[0] | null>> = {
  plain: null,
  good: "green",
  bad: "red",
  warning: "yellow",
  faint: "dim",
  strong: "bold",
};

/** The output streams of this process: colours only on a terminal, and without NO_COLOR (no-color.org). */
export function systemStreams(env: NodeJS.ProcessEnv): TerminalStreams {
  const { stdout, stderr } = process;
  return {
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    width: stdout.isTTY ? stdout.columns || WIDTH_UNKNOWN : Number.POSITIVE_INFINITY,
    colour: stdout.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb",
  };
}

/** Some terminals do not say how wide they are. */
const WIDTH_UNKNOWN = 80;
