import { type InstanceUrl, type ServiceProtocol, isLocalhost, parseInstanceUrl } from "./instance-url.ts";
import { isInNetwork, parseIp } from "./ip-address.ts";

/** What has a place where it is reached. */
interface Located {
  readonly url: string;
  readonly protocol: ServiceProtocol;
  /** What it is reached through, such as a router; left out where it is reached at its URL. */
  readonly via?: string | undefined;
}

/**
 * An endpoint with more instances than this is a gateway in front of many services: the health of one of these instances
 * says nothing of another. The bound also limits the cost of comparing them.
 */
export const ENDPOINT_INSTANCES_MAX = 32;

/** What `localhost` means, whatever a resolver says (RFC 6761, section 6.3). */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/**
 * Where the program of an instance listens, by its URL, as `HOST:PORT`. Addresses are in canonical form, so that two
 * URLs can be compared without asking a resolver. `localhost` stands for both loopback addresses; a name and its
 * address are not known to be the same. Empty for a URL that cannot be read.
 */
export function endpointsOf(announced: Located): readonly string[] {
  const parsed = announced.via === undefined ? parsedUrl(announced) : null;
  if (parsed === null) return [];
  const { host, port } = parsed;
  const hosts = isLocalhost(host) ? LOOPBACK : [host];
  return hosts.map((one) => `${canonical(one)}:${port}`);
}

/**
 * Whether the program behind one URL must be that behind the other: they have an address in common, and the base path
 * of one is within that of the other. Behind `http://h/a` and `http://h/b` one program may well serve two services.
 */
export function answersAlike(a: Located, b: Located): boolean {
  const [one, other] = [parsedUrl(a)?.base, parsedUrl(b)?.base];
  if (one === undefined || other === undefined) return false;
  if (!`${one}/`.startsWith(`${other}/`) && !`${other}/`.startsWith(`${one}/`)) return false;
  const endpoints = endpointsOf(b);
  return endpointsOf(a).some((endpoint) => endpoints.includes(endpoint));
}

function parsedUrl({ url, protocol }: Located): InstanceUrl | null {
  try {
    return parseInstanceUrl(url, protocol);
  } catch {
    return null;
  }
}

function canonical(host: string): string {
  // IPv4 and the usual names come in one form already.
  if (!host.includes(":")) return host.endsWith(".") ? host.slice(0, -1) : host;
  const bytes = parseIp(host);
  if (bytes === null) return host;
  if (isInNetwork(bytes, "0.0.0.0/0")) return bytes.subarray(12).join(".");
  return `[${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}]`;
}
