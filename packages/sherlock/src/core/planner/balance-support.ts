import type { Balance, ServiceProtocol } from "@datawire/protocol";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";

/**
 * What a balance policy is called, what it wants and what there is instead; null where it is to be had.
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
  // With a backend for each instance there is nothing to choose from in any: the draw that chooses one goes by weight.
  const isPolicy = balance.kind === "least-connections" || balance.kind === "consistent";
  if (isPolicy && !hostFromName && protocol !== "tcp") {
    return `${balance.kind}: wanted HAProxy 3.2 or older; instances share by weight`;
  }
  if (balance.kind !== "consistent" || balance.by !== "cookie" || hashBalance) return null;
  return `consistent:cookie:${balance.name}: wanted HAProxy 2.6 or newer; it is round-robin`;
}
