import { type ListenAddress, formatListenAddress } from "./listen-address.ts";

/** The `code` of an error of the operating system, such as ENOENT; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code;
}

/** What an error of the operating system means, in words; its own message where there are none for it. */
export function explainSystemError(error: unknown): string {
  const code = systemErrorCode(error);
  const known = code === undefined ? undefined : meanings.get(code);
  return known ?? (error instanceof Error ? error.message : String(error));
}

/** Makes the error to show when a server cannot listen; `setting` is the flag or key that chose the address. */
export function listenError(cause: unknown, address: ListenAddress, setting: string): Error {
  const remedies: ReadonlyMap<string, string> = new Map(
    Object.entries({
      EADDRINUSE: `the port is in use by another process; stop it (\`ss -ltnp 'sport = :${address.port}'\` names it) or choose another port`,
      EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher port",
      EADDRNOTAVAIL: "this machine has no such address; wanted one that `ip address` shows",
      ENOTFOUND: "the name has no address; wanted an IP address or a name that resolves",
    }),
  );
  const code = systemErrorCode(cause);
  const why = (code === undefined ? undefined : remedies.get(code)) ?? explainSystemError(cause);
  // The cause is told in words already; kept, it would be printed again in the system's.
  return new Error(`Cannot listen on ${formatListenAddress(address)} (${setting}): ${why}`);
}

const meanings: ReadonlyMap<string, string> = new Map(
  Object.entries({
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    ENOENT: "no such file or folder",
    ENOTDIR: "a part of the path is not a folder",
    EISDIR: "it is a folder, wanted a file",
    ENOSPC: "no space left on the device",
    EROFS: "the file system is read-only",
    EMFILE: "too many open files in this process; raise its limit (LimitNOFILE)",
    ECONNREFUSED: "connection refused: nothing listens there",
    ECONNRESET: "the other side broke the connection",
    EHOSTUNREACH: "no route to the host",
    ENETUNREACH: "no route to the network",
    ETIMEDOUT: "timed out",
    ENOTFOUND: "the name does not resolve",
    EAI_AGAIN: "the name cannot be resolved now",
  }),
);
