import { type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import { type Env, type Settings, commonSecrets, commonVariables, loadSettings, parsedBy } from "@datawire/runtime";
import { z } from "zod";

const directorySetting = parsedBy(parseDirectoryAddress, "//HOST[:PORT]/directory");
const fileSetting = z.string().min(1).nullable().default(null).meta({ wanted: "the path of a file" });

/** `dw.yaml`. */
export const settingsSchema = z.strictObject({
  directory: z
    .union([directorySetting.transform((one): DirectoryAddress[] => [one]), z.array(directorySetting).min(1)])
    .prefault("//localhost/directory"),
  /** From DATAWIRE_TOKEN; in a file, `token_file` names a file that only its owner can read. */
  token: z.string().min(1).nullable().default(null),
  token_file: fileSetting,
  tls: z.strictObject({ ca: fileSetting, cert: fileSetting, key: fileSetting }).prefault({}),
});
export type DwSettings = z.output<typeof settingsSchema>;

/** Loads what files and variables say; `-d` is for the command line to read. */
export function loadDwSettings(file: string | undefined, env: Env): Promise<Settings<DwSettings>> {
  const { DATAWIRE_DIRECTORY, DATAWIRE_TOKEN } = commonVariables;
  if (DATAWIRE_DIRECTORY === undefined || DATAWIRE_TOKEN === undefined) {
    throw new Error("Cannot load settings: the common variables have other names now");
  }
  return loadSettings({
    name: "dw",
    schema: settingsSchema,
    file,
    env,
    variables: { DATAWIRE_DIRECTORY: { ...DATAWIRE_DIRECTORY, path: ["directory"] }, DATAWIRE_TOKEN },
    secrets: commonSecrets,
  });
}
