import { type PageHandler, readOnly, send, sendJson } from "@datawire/http";
import type { LinkFacts } from "../wire/link-status.ts";
import { scopedName } from "../address/scope.ts";

/** A link, as far as it matters who listens. */
export type ListeningLink = Pick<LinkFacts, "direction" | "address" | "peer">;

/** How many links of a host listen at an address. */
export interface ListeningHost {
  /** Its IP address, IPv4 in its own form. */
  readonly host: string;
  readonly links: number;
}

/** The links that there are, and whose table the router follows. */
export interface ListeningSources {
  readonly links: Iterable<ListeningLink>;
  /** Null without a tenant. */
  readonly tenant: string | null;
}

/**
 * `/v1/consumers?address=NAME`: `{ address, consumers: [{ host, links }] }`, by which Watson knows whether a service listens. The
 * address is that of the tenant whose directory the router follows, as Watson does.
 */
export function consumersHandler(sources: () => ListeningSources | Promise<ListeningSources>): PageHandler {
  return readOnly("/v1/consumers", async (req, res) => {
    const address = new URL(req.url ?? "", "http://router").searchParams.get("address") ?? "";
    if (address === "") return send(res, 400, "address is missing: wanted /v1/consumers?address=NAME");
    const { links, tenant } = await sources();
    sendJson(res, 200, { address, consumers: consumersAt(links, scopedName(tenant, address)) });
  });
}

/** Who listens at an address, or at one below it: those that belong to its service too. */
export function consumersAt(links: Iterable<ListeningLink>, address: string): ListeningHost[] {
  const counts = new Map<string, number>();
  for (const { direction, address: at, peer } of links) {
    if (direction !== "out" || at === null || (at !== address && !at.startsWith(`${address}/`))) continue;
    const host = peer.slice(0, peer.lastIndexOf(":")).replace(/^::ffff:(?=\d+\.)/i, "");
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return [...counts].map(([host, count]) => ({ host, links: count }));
}
