import { isName } from "@datawire/protocol";
import { plainName, tenantOf } from "../address/scope.ts";

/** The service that an address belongs to, and what follows its name. */
export interface ServicePath {
  readonly service: string;
  /** `/eu` of `orders/eu`; empty for the service itself. */
  readonly path: string;
}

/**
 * The service whose routes hold at an address; null for one that has none: dead letters, topics, what is reserved.
 * @param tenant whose table it is.
 */
export function serviceOf(name: string, tenant: string | null): ServicePath | null {
  if (tenantOf(name) !== tenant) return null;
  const plain = plainName(name);
  const slash = plain.indexOf("/");
  const service = slash === -1 ? plain : plain.slice(0, slash);
  if (!isName(service) || OTHERS.has(service)) return null;
  return { service, path: slash === -1 ? "" : plain.slice(slash) };
}

/** First segments that say what an address is. */
const OTHERS: ReadonlySet<string> = new Set(["topic", "dead"]);
