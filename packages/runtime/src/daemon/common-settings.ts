import type { DaemonInput } from "./daemon-input.ts";
import type { Given, Variable } from "../config/settings.ts";

/** The variables that every program takes: `DATAWIRE_DIRECTORY`, several separated by commas or blanks, and `DATAWIRE_TOKEN`. */
export const commonVariables = {
  DATAWIRE_DIRECTORY: { path: ["directories"], value: (text) => text.split(/[\s,]+/).filter((part) => part !== "") },
  DATAWIRE_TOKEN: { path: ["token"] },
} satisfies Readonly<Record<string, Variable>>;

/** The settings that the flags of every daemon give: `-d`. */
export function commonFlags({ directories }: Pick<DaemonInput, "directories">): readonly Given[] {
  return directories.length === 0 ? [] : [{ from: "--directory", path: ["directories"], value: directories }];
}
