import { isLocalhost } from "./instance-url.ts";
import { compareIps, parseIp } from "./ip-address.ts";

/**
 * Which of a name's addresses stands for it, in the checks of Watson and for the traffic of every Sherlock alike: the
 * one in use while it is among them, so that a name with several does not move at each look; else the lowest of IPv4,
 * which services that listen on one family only mostly have; else the lowest of IPv6. Not the first: resolvers turn
 * their answers about, and a check of one address says nothing of another. Null for none; one that is of use on one
 * interface only (`fe80::1%eth0`) is none.
 */
export function pickAddress(found: readonly string[], current: string | null): string | null {
  if (current !== null && found.includes(current)) return current;
  const sorted = found
    .flatMap((text) => {
      const bytes = text.includes("%") ? null : parseIp(text);
      return bytes === null ? [] : [{ text, bytes }];
    })
    .toSorted((a, b) => compareIps(a.bytes, b.bytes));
  return sorted[0]?.text ?? null;
}

/** The addresses of a name that needs no resolver, as it is loopback by its very name; null for any other. */
export function loopbackAddresses(host: string): readonly string[] | null {
  return isLocalhost(host) ? ["127.0.0.1", "::1"] : null;
}
