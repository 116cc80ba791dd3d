import { readFile } from "node:fs/promises";
import { type DirectoryAddress, parseDirectoryAddress } from "@datawire/protocol";
import type { TlsSettings } from "@datawire/link/client";
import {
  ConfigError,
  type Env,
  type Settings,
  commonSecrets,
  commonVariables,
  explainSystemError,
  loadSettings,
  parsedBy,
} from "@datawire/runtime";
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

/** Reads the token and the certificates that the settings name. */
export async function readProof(
  settings: Settings<DwSettings>,
): Promise<{ readonly token: string | null; readonly tls: TlsSettings | null }> {
  const { token, token_file: tokenFile, tls } = settings.value;
  const read = async (path: readonly string[], file: string | null): Promise<string | null> => {
    if (file === null) return null;
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      const place = settings.locate(path) ?? { file: "dw.yaml" };
      throw new ConfigError([{ ...place, message: `Cannot read ${file}: ${explainSystemError(error)}` }]);
    }
  };
  const [fromFile, ca, cert, key] = await Promise.all([
    read(["token_file"], token === null ? tokenFile : null),
    read(["tls", "ca"], tls.ca),
    read(["tls", "cert"], tls.cert),
    read(["tls", "key"], tls.key),
  ]);
  const isPlain = ca === null && cert === null && key === null;
  return { token: token ?? fromFile?.trim() ?? null, tls: isPlain ? null : { ca, cert, key } };
}
