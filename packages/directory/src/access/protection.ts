import { type ListenAddress, formatListenAddress, isLoopback } from "@datawire/runtime";
import type { DirectoryValues } from "../config/settings.ts";
import type { CertificateFiles } from "./certificates.ts";

/** How a directory keeps out who does not belong. */
export interface Protection {
  readonly auth: "none" | "token";
  /** `own` is a certificate of the directory's own authority; files are certificates that somebody else makes. */
  readonly tls: "off" | "own" | CertificateFiles;
  /** What an operator should be reminded of. */
  readonly warnings: readonly string[];
}

/** On loopback alone nobody is asked for anything; beyond it tokens and TLS are on unless they are turned off by name. */
export function protectionOf(
  { auth, tls }: Pick<DirectoryValues, "auth" | "tls">,
  addresses: readonly ListenAddress[],
): Protection {
  const exposed = addresses.filter(({ host }) => !isLoopback(host));
  const where = exposed.map(formatListenAddress).join(", ");
  const usual = exposed.length > 0 ? { auth: "token", tls: "own" } : ({ auth: "none", tls: "off" } as const);
  const chosen = {
    auth: auth?.mode ?? usual.auth,
    tls: tls === undefined ? usual.tls : tls === "off" ? "off" : filesOf(tls),
  } as Pick<Protection, "auth" | "tls">;
  const warnings = [
    ...(exposed.length > 0 && chosen.auth === "none"
      ? [`anyone who reaches ${where} can change routes and register services (auth: { mode: none })`]
      : []),
    ...(exposed.length > 0 && chosen.tls === "off"
      ? [`what goes over ${where} is not encrypted, and anyone on the way can read it, tokens too (tls: off)`]
      : []),
  ];
  return { ...chosen, warnings };
}

/** The files of certificates of one's own. */
export function filesOf({
  cert,
  key,
  client_ca: clientCa,
}: {
  cert: string;
  key: string;
  client_ca?: string | undefined;
}) {
  return { cert, key, clientCa: clientCa ?? null };
}
