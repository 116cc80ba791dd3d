import { type ServiceProtocol, isLocalhost, parseInstanceUrl } from "./instance-url.ts";
import { isInNetwork, parseIp } from "./ip-address.ts";

/** What `localhost` means, whatever a resolver says (RFC 6761, section 6.3). */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/**
 * Where the program listens that the URL of an instance names, `HOST:PORT`: each address in the one form that all of its
 * spellings share, so that two URLs are compared without asking a resolver. `localhost` is both of loopback; a name and
 * its address are not known to be the same. Empty for a URL that cannot be read.
 */
export function endpointsOf({
  url,
  protocol,
}: {
  readonly url: string;
  readonly protocol: ServiceProtocol;
}): readonly string[] {
  let parsed;
  try {
    parsed = parseInstanceUrl(url, protocol);
  } catch {
    return [];
  }
  const { host, port } = parsed;
  const hosts = isLocalhost(host) ? LOOPBACK : [host];
  return hosts.map((one) => `${canonical(one)}:${port}`);
}

function canonical(host: string): string {
  // IPv4 and the usual names come in one form already.
  if (!host.includes(":")) return host.endsWith(".") ? host.slice(0, -1) : host;
  const bytes = parseIp(host);
  if (bytes === null) return host;
  if (isInNetwork(bytes, "0.0.0.0/0")) return bytes.subarray(12).join(".");
  return `[${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}]`;
}
