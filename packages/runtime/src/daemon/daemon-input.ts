import type { Env } from "../config/substitute.ts";

/** The command line of a daemon, parsed. */
export interface DaemonInput {
  /** The file of `-c`. */
  readonly config: string | undefined;
  /** The addresses of `-d`, as typed; empty when there were none. */
  readonly directories: readonly string[];
  /** All options by commander's names, those of the daemon included. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The operands, with undefined for optional ones that were left out. */
  readonly args: readonly (string | undefined)[];
  readonly env: Env;
}
