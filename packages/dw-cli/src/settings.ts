import { type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import { type Env, type Settings, commonSecrets, commonVariables, loadSettings, parsedBy } from "@datawire/runtime";
import { z } from "zod";
import { typed } from "./operands.ts";

const directorySetting = parsedBy(parseDirectoryAddress, "//HOST[:PORT]/directory");
const fileSetting = z.string().min(1).nullable().default(null).meta({ wanted: "the path of a file" });

/** `dw.yaml`. */
export const settingsSchema = z.strictObject({
  directory: z
    .union([directorySetting.transform((one): DirectoryAddress[] => [one]), z.array(directorySetting).min(1)])
    .prefault("//localhost/directory")
    .meta({ description: "The directory to ask; a list holds the other addresses of the same one." }),
  token: z.string().min(1).nullable().default(null).meta({
    description: "What it proves itself with; from `DATAWIRE_TOKEN`, rather than in a file that others may read.",
    otherwise: "none",
  }),
  token_file: fileSetting.meta({ description: "File with the token, readable by its owner alone.", otherwise: "none" }),
  tls: z
    .strictObject({
      ca: fileSetting.meta({
        description:
          "File of the authority that signed the directory's certificate; needed only with certificates of your own.",
        otherwise: "the fingerprint in the token, else the system's authorities",
      }),
      cert: fileSetting.meta({ description: "File of the certificate that `dw` shows.", otherwise: "none" }),
      key: fileSetting.meta({
        description: "File of its key, readable by the owner and the group at most.",
        otherwise: "none",
      }),
    })
    .prefault({}),
});
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
  if (DATAWIRE_DIRECTORY === undefined || DATAWIRE_TOKEN === undefined) {
    throw new Error("Cannot load settings: the common variables have other names now");
  }
  for (const text of directories) typed(() => parseDirectoryAddress(text));
  return loadSettings({
    name: "dw",
    schema: settingsSchema,
    file,
    env,
    systemFolder,
    variables: { DATAWIRE_DIRECTORY: { ...DATAWIRE_DIRECTORY, path: ["directory"] }, DATAWIRE_TOKEN },
    flags: directories.length === 0 ? [] : [{ from: "--directory", path: ["directory"], value: directories }],
    secrets: commonSecrets,
  });
}
