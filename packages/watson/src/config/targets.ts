import { parseInstanceUrl, ProtocolError } from "@datawire/protocol";

/** Where an HTTP check goes: a path on the instance's own host, or a URL. */
export type HttpTarget =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string };

/** Where a check connects to. */
export interface TcpTarget {
  /** An IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where a check asks for the health of a gRPC server. */
export interface GrpcTarget extends TcpTarget {
  /** Over TLS. */
  readonly secure: boolean;
}

/**
 * Reads `/path` or `http://host:port/path`.
 * @throws Error that says why it is neither; a URL with a user name or password in it is none.
 */
export function parseHttpTarget(text: string): HttpTarget {
  if (text.startsWith("/")) return { kind: "path", path: parsePath(text) };
  if (!/^https?:\/\//i.test(text)) throw new Error("it begins with neither / nor http:// nor https://");
  if (/[^\x21-\x7e]/.test(text)) throw new Error("it has a blank or another character that must be percent-encoded");
  if (!URL.canParse(text)) throw new Error("its host or port is malformed");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new Error("it holds a user name or a password, which stand in `headers` as Authorization");
  if (url.port === "0") throw new Error("port 0 is not from 1 to 65535");
  url.hash = "";
  return { kind: "url", url: url.href };
}

function parsePath(text: string): string {
  if (text.startsWith("//")) throw new Error("it begins with two slashes; of a URL, http: or https: is missing");
  if (!/^[\x21-\x7e]*$/.test(text)) throw new Error("it has a blank or another character that must be percent-encoded");
  return text.replace(/#.*$/s, "");
}

/**
 * Reads `host:port`.
 * @throws Error that says why it is none.
 */
export function parseTcpTarget(text: string): TcpTarget {
  return hostAndPort(text, /^tcp:\/\//i);
}

/**
 * Reads `host:port`, or `grpcs://host:port` for TLS.
 * @throws Error that says why it is none.
 */
export function parseGrpcTarget(text: string): GrpcTarget {
  return { ...hostAndPort(text, /^grpcs?:\/\//i), secure: /^grpcs:\/\//i.test(text) };
}

/** Host and port by the rules for URLs of instances. @throws Error that says why there are none */
function hostAndPort(text: string, scheme: RegExp): TcpTarget {
  const rest = text.replace(scheme, "");
  if (/^\d+$/.test(rest)) throw new Error("it is a port without a host");
  if (/^\w+:\/\//.test(rest)) throw new Error("it is a URL of another kind");
  try {
    const { host, port } = parseInstanceUrl(`tcp://${rest}`, "tcp");
    return { host, port };
  } catch (error) {
    if (error instanceof ProtocolError && error.why !== null) throw new Error(error.why, { cause: error });
    throw error;
  }
}
