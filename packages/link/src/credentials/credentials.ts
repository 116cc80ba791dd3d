import { stat } from "node:fs/promises";
import { parseToken, ProtocolError } from "@datawire/protocol";
import {
  ConfigError,
  exitCodes,
  type Path,
  type Place,
  type Problem,
  readTextFile,
  whyNoCertificates,
  whyNotKeyOf,
} from "@datawire/runtime";
import type { Proof } from "./tls.ts";

type FileName = string | null | undefined;

/** The keys of the settings that say where the proof of a program's rights lies. */
export interface CredentialSettings {
  /** The token itself, as DATAWIRE_TOKEN gives it; makes the file of no use. */
  readonly token?: string | null | undefined;
  readonly token_file?: FileName;
  readonly tls?: { readonly ca?: FileName; readonly cert?: FileName; readonly key?: FileName } | undefined;
}

/** The permission bits of everybody but the owner, and of everybody but the owner and the group. */
const OWNER_ONLY = 0o077;
const NOT_FOR_ALL = 0o007;

/**
 * Reads the token and the certificates that settings name as files.
 * @param file the settings file, for problems whose place `locate` does not know: `watson.yaml`.
 * @throws ConfigError that names the key and its place for each file that cannot be used; for a text that is no token,
 * one that ends a program with 77.
 */
export async function loadCredentials(
  settings: CredentialSettings,
  { file, locate }: { readonly file: string; readonly locate: (path: Path) => Place | undefined },
): Promise<Proof> {
  const problems: Problem[] = [];
  const refuse = (path: readonly string[], message: string): null => {
    problems.push({ ...(locate(path) ?? { file }), message });
    return null;
  };
  const read = async (name: FileName, path: readonly string[], tooOpen = 0): Promise<string | null> => {
    if (name == null) return null;
    const found = await readUsable(name, tooOpen);
    const key = `${path.join(".")} is ${JSON.stringify(name)}`;
    return typeof found === "string" ? refuse(path, `${key}: ${found}`) : found.text;
  };
  const place = settings.token == null ? undefined : locate(["token"]);
  if (place?.line !== undefined) {
    const tooOpen = await openness(place.file, OWNER_ONLY);
    if (tooOpen !== null)
      refuse(["token"], `Cannot use the token of the file: ${tooOpen}; \`token_file\` names one of its own`);
  }
  const { ca, cert, key } = settings.tls ?? {};
  const token = settings.token ?? (await read(settings.token_file, ["token_file"], OWNER_ONLY));
  const tls = {
    ca: await read(ca, ["tls", "ca"]),
    cert: await read(cert, ["tls", "cert"]),
    key: await read(key, ["tls", "key"], NOT_FOR_ALL),
  };
  if ((cert == null) !== (key == null)) {
    refuse(["tls", cert == null ? "key" : "cert"], "tls.cert and tls.key go together: wanted both or neither");
  }
  const unusable = (name: "ca" | "cert" | "key", why: string | null): void => {
    if (why !== null)
      refuse(["tls", name], `tls.${name} is ${JSON.stringify(settings.tls?.[name])}: Cannot use the file: ${why}`);
  };
  if (tls.ca !== null) unusable("ca", whyNoCertificates(tls.ca));
  if (tls.cert !== null) unusable("cert", whyNoCertificates(tls.cert));
  if (tls.cert !== null && tls.key !== null) unusable("key", whyNotKeyOf(tls.cert, tls.key));
  if (problems.length > 0) throw new ConfigError(problems);
  const why = token === null ? null : whyNoToken(token.trim());
  if (why !== null) {
    // DATAWIRE_TOKEN counts before the file, and is then the place.
    const at = locate([settings.token == null ? "token_file" : "token"]) ?? { file };
    throw new ConfigError([{ ...at, message: why }], exitCodes.notAllowed);
  }
  const isPlain = tls.ca === null && tls.cert === null && tls.key === null;
  return { token: token === null ? null : token.trim(), tls: isPlain ? null : tls };
}

/** The text of a file, or why it cannot be used. */
async function readUsable(name: string, tooOpen: number): Promise<string | { readonly text: string }> {
  const result = await readTextFile(name);
  if (result.state !== "read") return result.problem.message;
  if (result.text.trim() === "") return "Cannot use the file: it is empty";
  const why = await openness(name, tooOpen);
  return why === null ? { text: result.text } : `Cannot use the file: ${why}`;
}

/** The problem with the permissions of a file that holds a secret; null when only its owner, and its group where allowed, can read it. */
async function openness(name: string, tooOpen: number): Promise<string | null> {
  const mode = (await stat(name)).mode & 0o777;
  if ((mode & tooOpen) === 0) return null;
  const wanted = tooOpen === OWNER_ONLY ? "600" : "640 or 600";
  return `others can read it (mode ${mode.toString(8)}), wanted mode ${wanted}: chmod 600 ${name}`;
}

/** A text that is no token is not sent anywhere, and not repeated: it may be part of one. */
function whyNoToken(text: string): string | null {
  try {
    parseToken(text);
    return null;
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}
