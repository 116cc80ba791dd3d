import { own } from "@datawire/protocol";
import { dirname } from "node:path";
import { type ListenAddress, formatListenAddress } from "../net/listen-address.ts";

/** The `code` of an error of the operating system, such as ENOENT; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code;
}

/**
 * What an error of the operating system or of TLS means, in words; its own message where there are no words for it
 * here.
 */
export function explainSystemError(error: unknown): string {
  return wordsOf(error) ?? (error instanceof Error ? error.message : String(error));
}

/** The words for the code of an error; null where there are none. */
export function wordsOf(error: unknown): string | null {
  const code = systemErrorCode(error);
  if (code === undefined) return null;
  const known = own(meanings, code);
  if (known !== undefined) return known;
  if (code.startsWith("ERR_OSSL_")) return own(opensslMeanings, code) ?? `OpenSSL says ${spelled(code, "ERR_OSSL_")}`;
  if (!code.startsWith("ERR_SSL_")) return null;
  // Its own message names a source file and a function of OpenSSL.
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) return "the other side speaks no TLS";
  return `TLS failed: ${spelled(code, "ERR_SSL_")}`;
}

const spelled = (code: string, prefix: string): string => code.slice(prefix.length).toLowerCase().replaceAll("_", " ");

/** Of files with certificates and keys. */
const opensslMeanings: Readonly<Record<string, string>> = {
  ERR_OSSL_PEM_NO_START_LINE: "it is no PEM, which begins with a line -----BEGIN",
  ERR_OSSL_PEM_BAD_BASE64_DECODE: "the text between its lines is no base64",
  ERR_OSSL_PEM_BAD_END_LINE: "its line -----END is missing; it may have been cut short",
  ERR_OSSL_UNSUPPORTED: "it is no key, or one of a kind that is not known",
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "the key is not that of the certificate",
};

/** Makes the error to show when something cannot be done with a file or a folder: what, where, why, and what helps. */
export function fileError(action: string, path: string, cause: unknown): Error {
  const remedy = own(remedies, systemErrorCode(cause) ?? "")?.(path);
  const words = explainSystemError(cause) + (remedy === undefined ? "" : `; ${remedy}`);
  return new Error(`Cannot ${action} ${path}: ${words}`, { cause });
}

const remedies: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) => `free some (\`df -h ${dirname(path)}\` shows how much there is), or name another folder`,
  EDQUOT: () => "free some, or name another folder",
  EROFS: () => "name another folder, or let it be written (`ReadWritePaths=` in a systemd unit)",
  EACCES: (path) =>
    `wanted a folder that this user (${userName()}) can write; \`ls -ld ${dirname(path)}\` shows whose it is`,
  EPERM: (path) => `\`ls -ld ${dirname(path)}\` and \`lsattr -d ${dirname(path)}\` show who may`,
};

const userName = (): string => {
  const uid = process.getuid?.();
  return uid === undefined ? "unknown" : uid === 0 ? "root" : `uid ${uid}`;
};

/** Makes the error to show when a server cannot listen; `setting` is the flag or key that chose the address. */
export function listenError(cause: unknown, address: ListenAddress, setting: string): Error {
  const ofPort: Readonly<Record<string, string>> = {
    EADDRINUSE: `the port is in use by another process; stop it (\`ss -ltnp 'sport = :${address.port}'\` names it) or choose another port`,
    EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher port",
    EADDRNOTAVAIL: "this machine has no such address; wanted one that `ip address` shows",
    ENOTFOUND: "the name has no address; wanted an IP address or a name that resolves",
  };
  const why = own(ofPort, systemErrorCode(cause) ?? "") ?? explainSystemError(cause);
  // The cause is in the message already, in words; kept as `cause`, it would be printed again.
  return new Error(`Cannot listen on ${formatListenAddress(address)} (${setting}): ${why}`);
}

/** By the names of errno(3), and of getaddrinfo(3). */
const meanings: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use by another process",
  EADDRNOTAVAIL: "this machine has no such address",
  EAI_AGAIN: "the name cannot be resolved now",
  EBUSY: "something else uses it",
  ECONNABORTED: "the connection was broken off",
  ECONNREFUSED: "connection refused: nothing listens there",
  ECONNRESET: "the other side broke the connection",
  EDQUOT: "no space left for this user",
  EEXIST: "it is there already",
  EHOSTUNREACH: "no route to the host",
  EINVAL: "the system does not take that",
  EIO: "the device failed to read or write",
  EISDIR: "it is a folder, wanted a file",
  ELOOP: "it is a link, or its links lead in a circle",
  EMFILE: "too many open files in this process; raise its limit (LimitNOFILE)",
  EMLINK: "it has too many links",
  ENAMETOOLONG: "the name is too long",
  ENETUNREACH: "no route to the network",
  ENFILE: "too many open files on this machine; raise fs.file-max",
  ENOENT: "no such file or folder",
  ENOEXEC: "it is no program that this machine can run",
  ENOMEM: "no memory left",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is not a folder",
  ENOTEMPTY: "the folder is not empty",
  ENOTFOUND: "the name does not resolve",
  ENXIO: "no such device, or nobody at the other end",
  EPERM: "operation not permitted",
  EPIPE: "the other side closed the connection",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "timed out",
  ETXTBSY: "the program is being written",
  EXDEV: "it is on another file system",
};
