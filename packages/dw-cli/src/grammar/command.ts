import type { Env, ExitCode } from "@datawire/runtime";
import type { Dw, Input, RunCommand } from "../context/dw.ts";
import type { Machine } from "../doctor/machine.ts";
import type { Output } from "../context/output.ts";

/** An option of one command. */
export interface OptionGrammar {
  /** As commander writes it: `-f, --follow`, `--limit <n>`. */
  readonly flags: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  /** What completion offers, where other values are taken too. */
  readonly suggestions?: readonly string[];
}

/** What an operand names; completion offers the existing names. */
export type OperandKind = "service" | "versions" | "instance" | "caller" | "source" | "target" | "text";

/** An operand of one command. */
export interface OperandGrammar {
  /** As commander writes it: `<source>`, `[percent]`, `<target=percent...>`. */
  readonly text: string;
  readonly kind: OperandKind;
  readonly choices?: readonly string[];
}

/** One command: how it is typed, and where it is. Nothing is loaded before it is called. */
export interface CommandGrammar {
  /** `route add`, or `status`. */
  readonly path: string;
  readonly summary: string;
  readonly operands: readonly OperandGrammar[];
  readonly options: readonly OptionGrammar[];
  readonly action:
    | { readonly kind: "directory"; readonly load: () => Promise<{ readonly run: RunCommand }> }
    | { readonly kind: "local"; readonly load: () => Promise<{ readonly run: RunLocal }> };
  /** What follows the help of the command: examples. */
  readonly examples?: readonly string[];
  /** Run when the noun stands alone. */
  readonly isDefault?: boolean;
  /** Not shown: for scripts of ours. */
  readonly hidden?: boolean;
}

/** What a command gets that needs no directory. */
export interface Local {
  readonly output: Output;
  readonly env: Env;
  /** Of settings; undefined for the usual one. */
  readonly systemFolder: string | undefined;
  /** The file of `-c`. */
  readonly configFile: string | undefined;
  /** Those of `-d`, as typed. */
  readonly directories: readonly string[];
  /** What `dw doctor` looks at, with all that this takes. */
  machine(): Promise<Machine>;
  /** Goes to the directory after all. */
  connect(): Promise<Dw>;
  /** All there are, for completion. */
  readonly commands: readonly CommandGrammar[];
}

/** A command that needs no directory. */
export type RunLocal = (local: Local, input: Input) => Promise<ExitCode | void>;
