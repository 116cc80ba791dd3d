import { type InstanceTls, type InstanceUrl, parseServiceAddress, type ServiceProtocol } from "@datawire/protocol";
import { digest } from "./hash.ts";

/**
 * What the servers of one backend have in common. It has nothing that a route or a promotion changes, so that traffic
 * is moved between backends by maps alone. HAProxy sets the path and `Host` before it chooses a server, so instances
 * that differ in these are in different backends.
 */
export interface BackendKey {
  readonly service: string;
  /** The group of its instances, as protocol's `groupOf` names it; `null` for the service's default URL. */
  readonly group: string | null;
  readonly protocol: ServiceProtocol;
  readonly tls: boolean;
  /** Whether certificates are verified. */
  readonly tlsVerify: boolean;
  /** The name that they have to carry; null for the host of each URL, and without TLS. */
  readonly tlsName: string | null;
  /** The path before every request's own: "" or "/base". */
  readonly base: string;
  /**
   * The `Host` of the backend where it cannot be taken from the name of the server: for an IPv6 literal, and with an
   * HAProxy that does not do that. All servers of the backend then have that host. Null elsewhere.
   */
  readonly host: string | null;
  /** Outside the zone of the caller: used only while too few near ones are live. */
  readonly far: boolean;
}

/** The longest name that is spelled out; a longer one is cut and gets a digest. */
const NAME_LENGTH_MAX = 160;

/**
 * The name of a backend: readable in statistics, and made of `A-Za-z0-9_.:-` only. Different keys have different names:
 * a colon never stands in a service, version or instance name, and every part after it says what it is.
 */
export function backendName(key: BackendKey): string {
  const parts = [key.service, groupTag(key.group)];
  if (key.far) parts.push("far");
  if (key.protocol !== "http") parts.push(key.protocol);
  if (key.tls) parts.push("tls");
  if (!key.tlsVerify) parts.push("unverified");
  if (key.tlsName !== null) parts.push(`name${encode(key.tlsName)}`);
  if (key.base !== "") parts.push(`path${encode(key.base)}`);
  if (key.host !== null) parts.push(`host${encode(key.host)}`);
  const name = parts.join(":");
  if (name.length <= NAME_LENGTH_MAX) return name;
  return `${name.slice(0, NAME_LENGTH_MAX - 17)}:${digest(name)}`;
}

/** What of an instance decides its variant. */
export interface VariantSource {
  readonly url: InstanceUrl;
  readonly protocol: ServiceProtocol;
  readonly tls: InstanceTls | undefined;
}

/** The variant of a group that an instance belongs to; `hostFromName` is the feature of that name. */
export function variantOf(
  { url, protocol, tls }: VariantSource,
  hostFromName: boolean,
): Pick<BackendKey, "protocol" | "tls" | "tlsVerify" | "tlsName" | "base" | "host"> {
  const isHttp = protocol !== "tcp";
  const isTls = url.scheme === "https";
  return {
    protocol,
    tls: isTls,
    tlsVerify: !isTls || tls?.verify !== false,
    tlsName: isTls ? (tls?.serverName ?? null) : null,
    base: url.base,
    host: isHttp && !(hostFromName && isServerName(url.authority)) ? url.authority : null,
  };
}

/** Whether HAProxy takes the text as the name of a server. */
export function isServerName(text: string): boolean {
  return /^[A-Za-z0-9_.:-]+$/.test(text);
}

function groupTag(group: string | null): string {
  if (group === null) return "default";
  const { instance, version } = parseServiceAddress(group);
  return instance === null ? `v${encode(version ?? "")}` : `i:${instance}`;
}

/** Encodes `+`, and everything else that a name in HAProxy may not contain, as a colon and two hexadecimal digits. */
function encode(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
    return `:${code}`;
  });
}
