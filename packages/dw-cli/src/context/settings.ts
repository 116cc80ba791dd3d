import { credentialSettings } from "@datawire/link/client";
import { DEFAULT_DIRECTORY, type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import { type Env, type Settings, commonVariables, loadSettings, parsedBy } from "@datawire/runtime";
import { z } from "zod";
import { typed } from "./operands.ts";

const directorySetting = parsedBy(parseDirectoryAddress, "//HOST[:PORT]/directory");

/** `dw.yaml`. */
export const settingsSchema = z.strictObject({
  directory: z
    .union([directorySetting.transform((one): DirectoryAddress[] => [one]), z.array(directorySetting).min(1)])
    .prefault(DEFAULT_DIRECTORY)
    .meta({ description: "The directory to ask; a list holds the other addresses of the same one." }),
  ...credentialSettings,
});
/** The settings of `dw`, read. */
export type DwSettings = z.output<typeof settingsSchema>;

/** Where settings come from beside the file of `-c`. */
export interface SettingsPlaces {
  readonly env: Env;
  /** Default `/etc/datawire`. */
  readonly systemFolder?: string | undefined;
  /** Those of `-d`, as typed; none where it was not given. */
  readonly directories?: readonly string[] | undefined;
}

/** Loads what files, variables and `-d` say. */
export function loadDwSettings(
  file: string | undefined,
  { env, systemFolder, directories = [] }: SettingsPlaces,
): Promise<Settings<DwSettings>> {
  const { DATAWIRE_DIRECTORY, DATAWIRE_TOKEN } = commonVariables;
  for (const text of directories) typed(() => parseDirectoryAddress(text));
  return loadSettings({
    name: "dw",
    schema: settingsSchema,
    file,
    env,
    systemFolder,
    variables: { DATAWIRE_DIRECTORY: { ...DATAWIRE_DIRECTORY, path: ["directory"] }, DATAWIRE_TOKEN },
    flags: directories.length === 0 ? [] : [{ from: "--directory", path: ["directory"], value: directories }],
  });
}
