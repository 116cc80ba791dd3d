import { readFile } from "node:fs/promises";
import { connect } from "node:tls";
import { explainSystemError, findSystemCa } from "@datawire/runtime";

/** An instance whose certificate HAProxy verifies. */
export interface TlsTarget {
  readonly address: string;
  readonly port: number;
  /** The name that the certificate has to carry; null for none. */
  readonly name: string | null;
  readonly verify: boolean;
}

const MS_MAX = 3_000;

/**
 * Why no TLS comes about, of which HAProxy says only that it does not. One connection, verified by the same file.
 * @param caFile a path, or HAProxy's `@system-ca`.
 * @returns null when it does come about.
 */
export async function findTlsFailure(target: TlsTarget, caFile: string): Promise<string | null> {
  const file = caFile.startsWith("@") ? await findSystemCa() : caFile;
  const ca = file === null ? undefined : await readFile(file, "utf8");
  return new Promise((resolve) => {
    const { address, port, name, verify } = target;
    const socket = connect({
      host: address,
      port,
      rejectUnauthorized: verify,
      // As HAProxy, which compares names alone: without one, any certificate of the authorities does.
      ...(name === null ? { checkServerIdentity: () => undefined } : { servername: name }),
      ...(ca === undefined ? {} : { ca }),
    });
    const end = (failure: string | null): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(MS_MAX, () => end(`no handshake within ${MS_MAX / 1_000} s`));
    socket.once("secureConnect", () => end(null));
    socket.once("error", (error) => end(explainSystemError(error).replace(/^TLS failed: /, "")));
    socket.once("close", () => end("the connection was closed within the handshake"));
  });
}
