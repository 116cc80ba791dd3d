import type { Balance, ServiceProtocol } from "@datawire/protocol";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";

/**
 * The name of a balance policy that is not available, what it needs, and what is used instead; null where it is
 * available.
 * @param stickyIp whether callers have addresses of their own.
 */
export function missingForBalance(
  balance: Balance,
  protocol: ServiceProtocol,
  { hashBalance, hostFromName, stickyIp }: HaproxyFeatures & { readonly stickyIp: boolean },
): string | null {
  if (balance.kind === "consistent" && balance.by === "ip" && protocol !== "tcp" && !stickyIp) {
    return "consistent:ip: on loopback all callers have one address, and one instance would get all; it is round-robin";
  }
  if (balance.kind === "cookie" && protocol === "tcp") {
    return `cookie:${balance.name}: a TCP service has no cookies; it is round-robin`;
  }
  // With one backend for each instance, no backend has a choice: the draw between them goes by weight.
  const isPolicy = balance.kind === "least-connections" || balance.kind === "consistent";
  if (isPolicy && !hostFromName && protocol !== "tcp") {
    return `${balance.kind}: wanted HAProxy 3.2 or older; instances share by weight`;
  }
  if (balance.kind !== "consistent" || balance.by !== "cookie" || hashBalance) return null;
  return `consistent:cookie:${balance.name}: wanted HAProxy 2.6 or newer; it is round-robin`;
}
