import type { Span } from "@datawire/api";

/** A request as a proxy made it for a caller: what `dw explain` takes. */
export interface ProxiedRequest {
  readonly caller: string;
  readonly service: string;
  /** What follows the name of the service. */
  readonly path: string;
  /** Where it went. */
  readonly instance: string | null;
}

/** The request that a span of a Sherlock is of; null for any other span. */
export function proxiedRequest({
  service,
  instance,
  attributes,
}: Pick<Span, "service" | "instance" | "attributes">): ProxiedRequest | null {
  const { "datawire.caller": caller, "url.path": url } = attributes;
  if (service === null || typeof caller !== "string") return null;
  const path = typeof url === "string" ? url.replace(/^\/[^/]*/, "") : "";
  return { caller, service, path: path === "" ? "/" : path, instance };
}
