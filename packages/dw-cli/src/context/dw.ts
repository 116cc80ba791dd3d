import { type DirectoryAddress, own } from "@datawire/protocol";
import type { ApiClient } from "@datawire/api";
import type { Catalog } from "@datawire/catalog";
import type { CatalogUpdate } from "@datawire/link";
import type { Clock, Env, ExitCode } from "@datawire/runtime";
import type { Output } from "./output.ts";
import type { Screen } from "./screen.ts";

/** What a command gets to work with; tests make one of fakes. */
export interface Dw {
  readonly output: Output;
  /** For `${NAME}` in a file that a command reads. */
  readonly env: Env;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  /** Aborts on Ctrl-C, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** The directory in use: its addresses are tried in their order. */
  readonly client: ApiClient;
  /** The addresses of `-d`, of the settings, or the default. */
  readonly directories: readonly DirectoryAddress[];
  /** Each address apart, for `dw status`. */
  clientOf(directory: DirectoryAddress): ApiClient;
  /** Follows the table of the directory until the signal aborts. */
  follow(onUpdate: (table: Catalog, update: CatalogUpdate) => void): Promise<void>;
  /** Lets Ctrl-C and its like abort the signal instead of ending the process, for a command that goes on until then. */
  endBySignal(): void;
  /** Takes the whole terminal; null where there is none. */
  openScreen(): Screen | null;
  /** Opens an address in a browser; false where there is none. */
  openPage(url: string): Promise<boolean>;
  /** Lays the folder of a shipped sample, and starts what it needs; says what it did, or null for what is no sample. */
  prepareSample(name: string, dryRun: boolean): Promise<readonly string[] | null>;
}

/** The operands and options of a command line, as commander read them. */
export interface Input {
  /** Those that were left out are undefined; a list of any length is spread. */
  readonly operands: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A command that talks to a directory. */
export type RunCommand = (dw: Dw, input: Input) => Promise<ExitCode | void>;

/** Whether an option without a value was given. */
export function flag({ options }: Input, name: string): boolean {
  return own(options, name) === true;
}

/** The value of an option; undefined when it was not given, null when it was denied (`--no-when`). */
export function optionText({ options }: Input, name: string): string | null | undefined {
  const value = own(options, name);
  return value === false ? null : typeof value === "string" ? value : undefined;
}

/** The values of an option that takes several; undefined when it was not given. */
export function optionList({ options }: Input, name: string): string[] | undefined {
  const value = own(options, name);
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** An operand that the grammar demands. */
export function operand({ operands }: Input, index: number): string {
  const value = operands[index];
  if (value === undefined) throw new Error(`Cannot read operand ${index}: the grammar of the command has none`);
  return value;
}
