import { z } from "zod";
import { address, type DeepReadonly, dryRun, outcome, percent, time } from "./common.ts";
import { explanation, resulting } from "./services.ts";
import { stamped } from "./table.ts";

const route = z.lazy(() =>
  z.object({
    caller: z.string(),
    service: z.string().meta({ description: "For the service reading, SOURCE" }),
    target: z.string(),
    percent,
    status: z.enum(["active", "waiting"]).meta({ description: "Waiting while no registered instance matches it" }),
    reading: z.enum(["caller", "service"]),
    when: z.string().nullable(),
    sticky: z.string().nullable(),
    expires: time.nullable(),
  }),
);

/** A route as `GET /v1/routes` and `dw route list --json` show it. */
export type RouteListing = DeepReadonly<z.output<typeof route>>;

/** Every stored route. */
export const routesAnswer = z.lazy(() => z.object({ ...stamped, routes: z.array(route) }));

/** The routes of a changed source and service, and what its requests come to. */
export const routeChangeAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    routes: z.array(route),
    distribution: explanation.nullable(),
    ...outcome,
  }),
);

/** The latest changes, the newest first. */
export const historyAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    history: z.array(
      z.object({
        id: z.int(),
        at: time,
        who: z.string(),
        verified: z.boolean().meta({ description: "Whether a token proves who it was" }),
        action: z.string(),
        undone: z.boolean(),
      }),
    ),
  }),
);

/** The change that was taken back, and what the requests come to that it concerned. */
export const undoAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    action: z.string(),
    undone: z.string().meta({ description: "What was done when the change was made that is taken back" }),
    distributions: resulting,
    ...outcome,
  }),
);

/** Takes back the last change that is not undone yet. */
export const undoBody = z.lazy(() => z.strictObject({ dryRun }));

const share = z.lazy(() => z.union([z.number(), z.string().max(20)]));

/** `POST /v1/routes`. An option that is left out stays as it was; null drops it. */
export const routeAddBody = z.lazy(() =>
  z.strictObject({
    source: address,
    target: address,
    percent: share.optional(),
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
    dryRun,
  }),
);
/** What `POST /v1/routes` was asked, read. */
export type RouteAdd = z.infer<typeof routeAddBody>;

/** `DELETE /v1/routes`. */
export const routeRemoveBody = z.lazy(() =>
  z.strictObject({
    source: address,
    target: address,
    reading: z.enum(["caller", "service"]).optional(),
    dryRun,
  }),
);
/** What `DELETE /v1/routes` was asked, read. */
export type RouteRemove = z.infer<typeof routeRemoveBody>;

/** `PUT /v1/routes`: several shares of one source and service at once, all or nothing. */
export const routeSetBody = z.lazy(() =>
  z.strictObject({
    source: address,
    targets: z
      .array(z.strictObject({ target: address, percent: share }))
      .min(1)
      .max(100),
    reading: z.enum(["caller", "service"]).optional(),
    ahead: z.boolean().default(false),
    dryRun,
  }),
);
/** What `PUT /v1/routes` was asked, read. */
export type RouteSet = z.infer<typeof routeSetBody>;
