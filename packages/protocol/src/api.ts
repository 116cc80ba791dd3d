import { z } from "zod";
import type { InstanceTls } from "./model.ts";
import type { ErrorCode } from "./errors.ts";

/** The HTTP interface: what changes take as bodies, and what reads return. Paths are in `docs/protocol.md`. */

const address = z.string().max(400);
const percent = z.union([z.number(), z.string().max(20)]);

/** Options that every change takes. */
const change = { dryRun: z.boolean().default(false) };

/** `POST /v1/routes`. An option that is left out stays as it was; null drops it. */
export const routeAddSchema = z.object({
  source: address,
  target: address,
  percent: percent.optional(),
  /** Which reading of SOURCE is meant, where it could be both. */
  reading: z.enum(["caller", "service"]).optional(),
  when: z.string().max(400).nullable().optional(),
  sticky: z.string().max(120).nullable().optional(),
  /** A duration, after which the change ends by itself. */
  for: z
    .union([z.string().max(20), z.number()])
    .nullable()
    .optional(),
  /** Accept a target that nothing registered matches yet. */
  ahead: z.boolean().default(false),
  ...change,
});
export type RouteAdd = z.infer<typeof routeAddSchema>;

/** `DELETE /v1/routes`. */
export const routeRemoveSchema = z.object({
  source: address,
  target: address,
  reading: z.enum(["caller", "service"]).optional(),
  ...change,
});
export type RouteRemove = z.infer<typeof routeRemoveSchema>;

/** `PUT /v1/routes`: several shares of one source and service at once, all or nothing. */
export const routeSetSchema = z.object({
  source: address,
  targets: z
    .array(z.object({ target: address, percent }))
    .min(1)
    .max(100),
  reading: z.enum(["caller", "service"]).optional(),
  ahead: z.boolean().default(false),
  ...change,
});
export type RouteSet = z.infer<typeof routeSetSchema>;

/** A route as `GET /v1/routes` and `dw route list --json` show it. */
export interface RouteListing {
  readonly caller: string;
  /** For the service reading, SOURCE. */
  readonly service: string;
  readonly target: string;
  readonly percent: number;
  /** `waiting` while no registered instance matches the target. */
  readonly status: "active" | "waiting";
  readonly reading: "caller" | "service";
  readonly when: string | null;
  readonly sticky: string | null;
  /** RFC 3339. */
  readonly expires: string | null;
}

/** A service as `GET /v1/services` and `dw service list --json` show it. */
export interface ServiceListing {
  readonly service: string;
  readonly protocol: string;
  /** The primary generation; null while there is none, and for the one without a version. */
  readonly primary: string | null;
  readonly status: "live" | "degraded" | "down";
  /** Why it is degraded or down; null when live. */
  readonly reason: string | null;
  readonly instances: readonly InstanceListing[];
}

export interface InstanceListing {
  readonly name: string;
  readonly version: string | null;
  readonly url: string;
  readonly state: "live" | "down" | "draining" | "lost";
  readonly role: "primary" | "held" | "routed";
  readonly reason: string | null;
  readonly zone: string | null;
  /** RFC 3339. */
  readonly since: string;
  readonly weight: number;
  readonly tags: readonly string[];
  /** `http`, `h2` or `tcp`. */
  readonly protocol?: string | undefined;
  /** How its certificate is verified; left out for the usual way. */
  readonly tls?: InstanceTls | undefined;
  /** What the proxies of callers find of an instance that is live for its Watson; left out where they find nothing. */
  readonly findings?: readonly InstanceFinding[] | undefined;
}

/** What the proxy of a caller finds of an instance that it should use. */
export interface InstanceFinding {
  readonly caller: string;
  /** `unreachable` gets no request of that caller's; `refused` and `unanswered` get them in vain. */
  readonly kind: string;
  readonly message: string;
  /** Requests that met it, or a little more. */
  readonly count: number;
  /** RFC 3339. */
  readonly since: string;
}

/** The body of every answer that is not 2xx. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

/** HTTP status of a refusal. */
export function httpStatus(code: ErrorCode): number {
  switch (code) {
    case "invalid_argument":
      return 400;
    case "unauthenticated":
      return 401;
    case "permission_denied":
      return 403;
    case "not_found":
      return 404;
    case "conflict":
      return 409;
    case "limit_exceeded":
      return 429;
    case "unsupported":
      return 501;
    case "unavailable":
      return 503;
    case "internal":
      return 500;
  }
}
