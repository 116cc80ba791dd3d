import type { TlsSettings } from "@datawire/link";
import { ConfigError, type Path, type Place, type Problem, readTextFile } from "@datawire/runtime";

/** The keys of the settings that say where the proof of a program's rights lies. */
export interface CredentialSettings {
  readonly token?: string | undefined;
  readonly token_file?: string | undefined;
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
}

export interface Credentials {
  readonly token: string | null;
  readonly tls: TlsSettings | null;
}

/**
 * Reads the token and the certificates that settings name as files.
 * @throws ConfigError that names the key and its place for each file that cannot be read.
 */
export async function loadCredentials(
  settings: CredentialSettings,
  locate: (path: Path) => Place | undefined,
): Promise<Credentials> {
  const problems: Problem[] = [];
  const read = async (file: string | undefined, path: readonly string[]): Promise<string | null> => {
    if (file === undefined) return null;
    const result = await readTextFile(file);
    if (result.state === "read" && result.text.trim() !== "") return result.text;
    const why = result.state === "read" ? "Cannot use the file: it is empty" : result.problem.message;
    problems.push({
      ...(locate(path) ?? { file: "watson.yaml" }),
      message: `${path.join(".")} is ${JSON.stringify(file)}: ${why}`,
    });
    return null;
  };
  // A token that was given itself, as DATAWIRE_TOKEN is, makes the file of no use.
  const token = settings.token ?? (await read(settings.token_file, ["token_file"]))?.trim() ?? null;
  const { ca, cert, key } = settings.tls ?? {};
  const tls: TlsSettings = {
    ca: await read(ca, ["tls", "ca"]),
    cert: await read(cert, ["tls", "cert"]),
    key: await read(key, ["tls", "key"]),
  };
  if ((cert === undefined) !== (key === undefined)) {
    const present = cert === undefined ? "key" : "cert";
    problems.push({
      ...(locate(["tls", present]) ?? { file: "watson.yaml" }),
      message: "tls.cert and tls.key go together: wanted both or neither",
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { token, tls: settings.tls === undefined ? null : tls };
}
