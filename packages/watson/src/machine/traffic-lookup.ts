import { isIP, type LookupFunction } from "node:net";
import { pickAddress } from "@datawire/protocol";

/** Resolves names as the traffic does: to one address. */
export interface TrafficLookup {
  readonly lookup: LookupFunction;
  /** Of the last answer for a name: the address that was used, and those that were not. Null before it was looked up. */
  seen(host: string): { readonly used: string; readonly others: readonly string[] } | null;
}

const NAMES_MAX = 10_000;

/**
 * Narrows a lookup to the address that Sherlocks send requests to. A socket that is given all of a name's addresses
 * tries one after the other, and would find alive what HAProxy, which has one, does not reach.
 */
export function createTrafficLookup(lookupAll: LookupFunction): TrafficLookup {
  const known = new Map<string, { readonly used: string; readonly others: readonly string[] }>();
  return {
    lookup(host, options, callback) {
      lookupAll(host, { ...options, all: true }, (error, found) => {
        const addresses = typeof found === "string" ? [found] : found.map(({ address }) => address);
        const used = error === null ? pickAddress(addresses, known.get(host)?.used ?? null) : null;
        if (used === null) return callback(error ?? noAddress(host), "", 0);
        if (known.size >= NAMES_MAX) known.clear();
        known.set(host, { used, others: addresses.filter((address) => address !== used) });
        if (options.all === true) callback(null, [{ address: used, family: isIP(used) }]);
        else callback(null, used, isIP(used));
      });
    },
    seen: (host) => known.get(host) ?? null,
  };
}

function noAddress(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND", hostname: host });
}
