import type { RunCommand } from "../context/dw.ts";
import type { OperandGrammar, OptionGrammar, RunLocal } from "../grammar/command.ts";

/** A command that asks a directory. */
export const directory = (load: () => Promise<{ readonly run: RunCommand }>) => ({ kind: "directory", load }) as const;
/** A command that does without a directory, or asks one as it goes on. */
export const local = (load: () => Promise<{ readonly run: RunLocal }>) => ({ kind: "local", load }) as const;

/** An operand that names a service without versions or instances. */
export const service: OperandGrammar = { text: "<service>", kind: "service" };
/** An operand that names a caller, or a service for the requests of all callers. */
export const source: OperandGrammar = { text: "<source>", kind: "source" };
/** Where a route leads. */
export const target: OperandGrammar = { text: "<target>", kind: "target" };
/** Tries a change. */
export const dryRun: OptionGrammar = { flags: "--dry-run", summary: "show what would result, and change nothing" };
/** Takes a target that is not there yet. */
export const ahead: OptionGrammar = {
  flags: "--ahead",
  summary: "accept a target that nothing registered matches yet",
};
/** Says what SOURCE is, where a caller and a service share the name. */
export const readings: readonly OptionGrammar[] = [
  { flags: "--caller", summary: "SOURCE is a caller" },
  { flags: "--service", summary: "SOURCE is a service" },
];

/** An option with a value that `--no-…` takes back. */
export const deniable = (name: string, value: string, summary: string): OptionGrammar[] => [
  { flags: `--${name} <${value}>`, summary },
  { flags: `--no-${name}`, summary: `drop --${name}` },
];
