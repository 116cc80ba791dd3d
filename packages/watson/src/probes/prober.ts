import type { LookupFunction } from "node:net";
import type { SecureContext } from "node:tls";
import type { Probe } from "../model/belief.ts";
import type { TrafficLookup } from "../machine/traffic-lookup.ts";

/** Something that looks once whether an instance is alive. */
export interface Prober {
  /** Never rejects. When the signal aborts it lets go of what it holds, and its result is of no interest. */
  probe(signal: AbortSignal): Promise<Probe>;
  /** Lets go of what it keeps between probes. */
  close(): void;
}

/** What the probers of all checks share. */
export interface ProberDeps {
  /** Every address of a name; for checks that go elsewhere than the traffic does. */
  readonly lookup: LookupFunction;
  /** The address that the traffic goes to. */
  readonly trafficLookup: TrafficLookup;
  /** The authorities that a service is verified with. */
  readonly secureContext: () => SecureContext;
  /** Of the authority that Watson's token names, which signs for routers; null where it names none. */
  readonly fingerprint: string | null;
  /** What the environment of checked programs is made of. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a prober connects with. */
export interface Network {
  readonly lookup: LookupFunction;
  readonly secureContext: () => SecureContext;
  readonly fingerprint: string | null;
  /** What a failed connection to a host says beside its reason: which of several addresses it was; "" for nothing. */
  note(host: string): string;
}

/** The network as a probe sees it. */
export function networkOf({ asTraffic }: { readonly asTraffic: boolean }, deps: ProberDeps): Network {
  const { lookup, trafficLookup, secureContext, fingerprint } = deps;
  if (!asTraffic) return { lookup, secureContext, fingerprint, note: () => "" };
  return {
    lookup: trafficLookup.lookup,
    secureContext,
    fingerprint,
    note(host) {
      const { used, others } = trafficLookup.seen(host.replace(/^\[(.*)\]$/, "$1")) ?? { used: "", others: [] };
      if (others.length === 0) return "";
      return ` at ${used}, where requests go to; not to ${others.slice(0, 3).join(", ")}`;
    },
  };
}
