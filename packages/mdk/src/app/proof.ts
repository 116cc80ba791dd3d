import { loadCredentials, type Proof } from "@datawire/link/client";
import { MdkError } from "../session/mdk-error.ts";
import { describeError, ExitError, exitCodes } from "@datawire/runtime";
import type { MdkSettings } from "./settings.ts";

/** Reads the token and the authority that the settings name. @throws MdkError `invalid_argument` or `unauthenticated` */
export async function loadProof({
  token,
  tokenFile,
  ca,
}: Pick<MdkSettings, "token" | "tokenFile" | "ca">): Promise<Proof> {
  const isText = ca?.includes("-----BEGIN") === true;
  const settings = { token, token_file: tokenFile, tls: { ca: isText ? null : ca } };
  try {
    const proof = await loadCredentials(settings, { file: "the options of the library", locate: () => undefined });
    return isText ? { ...proof, tls: { ca, cert: null, key: null } } : proof;
  } catch (cause) {
    // A text that is no token ends a program with 77, a file that cannot be used with 78.
    const isToken = cause instanceof ExitError && cause.exitCode === exitCodes.notAllowed;
    const code = isToken ? "unauthenticated" : "invalid_argument";
    throw new MdkError(code, describeError(cause), { cause });
  }
}
