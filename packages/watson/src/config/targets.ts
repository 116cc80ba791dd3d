import { parseInstanceUrl } from "@datawire/protocol";

/** Where an HTTP check goes: a path on the instance's own host, or a URL. */
export type HttpTarget =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string };

export interface TcpTarget {
  /** An IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

export interface GrpcTarget extends TcpTarget {
  readonly tls: boolean;
}

/**
 * Reads `/path` or `http://host:port/path`.
 * @throws Error for anything else, and for a URL with a user name or password in it.
 */
export function parseHttpTarget(text: string): HttpTarget {
  if (/^\/[\x21-\x7e]*$/.test(text)) return { kind: "path", path: text.replace(/#.*$/s, "") };
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== "" || url.password !== "") throw new Error("no path and no URL");
  url.hash = "";
  return { kind: "url", url: url.href };
}

/**
 * Reads `host:port`.
 * @throws Error for anything else.
 */
export function parseTcpTarget(text: string): TcpTarget {
  const { host, port } = parseInstanceUrl(`tcp://${text.replace(/^tcp:\/\//, "")}`, "tcp");
  return { host, port };
}

/**
 * Reads `host:port`, or `grpcs://host:port` for TLS.
 * @throws Error for anything else.
 */
export function parseGrpcTarget(text: string): GrpcTarget {
  return { ...parseTcpTarget(text.replace(/^grpcs?:\/\//, "")), tls: text.startsWith("grpcs://") };
}
