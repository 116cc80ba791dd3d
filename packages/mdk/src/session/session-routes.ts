import { meetsRequirement } from "@datawire/protocol";
import type { Json } from "./json.ts";

interface SessionRoute {
  readonly [key: string]: string;
  readonly version: string;
  readonly target: string;
  readonly targetVersion: string;
}

/** The routes of a session by service, as far as they can be read: they may have come from outside. */
function routesOf(value: Json | undefined): Map<string, SessionRoute[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map();
  return new Map(
    Object.entries(value).map(([service, list]: [string, unknown]) => [
      service,
      Array.isArray(list) ? list.filter(isSessionRoute) : [],
    ]),
  );
}

function isSessionRoute(value: unknown): value is SessionRoute {
  if (typeof value !== "object" || value === null) return false;
  const { version, target, targetVersion } = value as Record<string, unknown>;
  return [version, target, targetVersion].every((part) => typeof part === "string");
}

/** Where a session sends what it asks of a service: the first of its routes that is about that; null for none. */
export function routed(
  value: Json | undefined,
  service: string,
  version: string | null,
): { readonly service: string; readonly version: string } | null {
  const routes = routesOf(value).get(service) ?? [];
  const route = routes.find((one) => version === null || meetsRequirement(version, one.version));
  return route === undefined ? null : { service: route.target, version: route.targetVersion };
}

/** The routes of a session with one more. */
export function withRoute(value: Json | undefined, service: string, route: SessionRoute): Json {
  const routes = routesOf(value);
  return { ...Object.fromEntries(routes), [service]: [...(routes.get(service) ?? []), route] };
}
