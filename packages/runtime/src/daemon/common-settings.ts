import { own } from "@datawire/protocol";
import type { DaemonInput } from "./daemon-input.ts";
import type { Given, Variable } from "../config/settings.ts";

/** The variables that every program takes: `DATAWIRE_DIRECTORY`, several separated by commas or blanks, and `DATAWIRE_TOKEN`. */
export const commonVariables = {
  DATAWIRE_DIRECTORY: { path: ["directories"], value: (text) => text.split(/[\s,]+/).filter((part) => part !== "") },
  DATAWIRE_TOKEN: { path: ["token"] },
} satisfies Readonly<Record<string, Variable>>;

/**
 * The settings that flags give: `-d`, which every daemon that follows a directory has, and those of `flags`, by their
 * names on the command line.
 */
export function givenFlags(
  { directories, options }: Pick<DaemonInput, "directories" | "options">,
  flags: Readonly<Record<string, readonly string[]>>,
): Given[] {
  const value = directories.length === 0 ? undefined : directories;
  return [
    { from: "-d/--directory", path: ["directories"], value },
    ...Object.entries(flags).map(([flag, path]) => ({ from: `--${flag}`, path, value: own(options, optionOf(flag)) })),
  ];
}

/** What commander calls the option of a flag: `dataDir` for `data-dir`. */
const optionOf = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
