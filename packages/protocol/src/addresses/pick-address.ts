import { isLocalhost } from "./instance-url.ts";
import { compareIps, parseIp } from "./ip-address.ts";

/**
 * Which of a name's addresses is used, by the checks of Watson and by the traffic of every Sherlock alike. The one in
 * use stays while it is among them, so that a name with several does not move at each lookup; else it is the lowest
 * IPv4 address, as services that listen on one family mostly listen on that; else the lowest IPv6 one. It is not the
 * first, since resolvers rotate their answers, and a check of one address says nothing of another. Null where there is
 * none; an address that works on one interface only (`fe80::1%eth0`) does not count.
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
