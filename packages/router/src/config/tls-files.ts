import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  explainSystemError,
  type Path,
  type Place,
  type Problem,
  whyNoCertificates,
  whyNotKeyOf,
} from "@datawire/runtime";

/** What a port over TLS shows, and whom it believes. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** The authorities of clients' certificates; null where none are asked for. */
  readonly clientCa: string | null;
}

/** The files of `tls`; without `cert` and `key` the certificate comes from elsewhere. */
export interface TlsPaths {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly client_ca?: string | undefined;
}

/** Reads the files of `tls`; what is wrong with them is told with the place where they were named. */
export async function readTlsFiles(
  paths: TlsPaths,
  locate: (path: Path) => Place | undefined,
): Promise<{
  readonly tls: ServerTls | null;
  readonly clientCa: string | null;
  readonly problems: readonly Problem[];
}> {
  const problems: Problem[] = [];
  const read = async (key: keyof TlsPaths): Promise<string | null> => {
    const path = paths[key];
    if (path === undefined) return null;
    const place = locate(["tls", key]);
    const file = resolve(place?.line === undefined ? process.cwd() : dirname(place.file), path);
    const text = await readFile(file, "utf8").catch((error: unknown) => {
      problems.push({
        ...(place ?? { file: "router.yaml" }),
        message: `tls.${key} is ${file}: ${explainSystemError(error)}`,
      });
      return null;
    });
    const why = text === null ? null : key === "key" ? null : whyNoCertificates(text);
    if (why !== null)
      problems.push({ ...(place ?? { file: "router.yaml" }), message: `tls.${key} is ${file}: ${why}` });
    return text;
  };
  const [cert, key, clientCa] = [await read("cert"), await read("key"), await read("client_ca")];
  if (cert !== null && key !== null && problems.length === 0) {
    const why = whyNotKeyOf(cert, key);
    if (why !== null)
      problems.push({
        ...(locate(["tls", "key"]) ?? { file: "router.yaml" }),
        message: `tls.key is ${paths.key}: ${why}`,
      });
  }
  const tls = cert === null || key === null || problems.length > 0 ? null : { cert, key, clientCa };
  return { tls, clientCa, problems };
}
