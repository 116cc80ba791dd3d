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

/**
 * Reads the token and the certificates that settings name as files.
 * @throws ConfigError for each file that cannot be read.
 */
export async function loadCredentials(
  settings: CredentialSettings,
  locate: (path: Path) => Place | undefined,
): Promise<{ readonly token: string | null; readonly tls: TlsSettings | null }> {
  const problems: Problem[] = [];
  const read = async (file: string | undefined, path: readonly string[]): Promise<string | null> => {
    if (file === undefined) return null;
    const result = await readTextFile(file);
    if (result.state === "read") return result.text;
    const place = locate(path) ?? { file: "sherlock.yaml" };
    problems.push({ ...place, message: `${path.join(".")} is ${JSON.stringify(file)}: ${result.problem.message}` });
    return null;
  };
  // A token that was given itself, as DATAWIRE_TOKEN is, makes the file of no use.
  const token = settings.token ?? (await read(settings.token_file, ["token_file"]))?.trim() ?? null;
  const tls: TlsSettings = {
    ca: await read(settings.tls?.ca, ["tls", "ca"]),
    cert: await read(settings.tls?.cert, ["tls", "cert"]),
    key: await read(settings.tls?.key, ["tls", "key"]),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return { token, tls: settings.tls === undefined ? null : tls };
}
