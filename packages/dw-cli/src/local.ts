import type { Env, ExitCode } from "@datawire/runtime";
import type { Dw, Input } from "./dw.ts";
import type { Output } from "./output.ts";

/** What a command gets that needs no directory. */
export interface Local {
  readonly output: Output;
  readonly env: Env;
  /** The file of `-c`. */
  readonly configFile: string | undefined;
  /** Goes to the directory after all. */
  connect(): Promise<Dw>;
}

export type RunLocal = (local: Local, input: Input) => Promise<ExitCode | void>;
