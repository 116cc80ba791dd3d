import {
  linkReportSchema,
  queueReportSchema,
  reportedProblemSchema,
  routerPortsSchema,
  routerReportSchema,
} from "@datawire/protocol";
import { z } from "zod";
import { outcome, time } from "./common.ts";
import { stamped } from "./table.ts";

const reported = z.lazy(() => z.array(reportedProblemSchema));

const router = z.lazy(() =>
  z.object({
    name: z.string(),
    id: z.string().meta({ description: "Of its data folder: several routers may have one name" }),
    host: z.string(),
    address: z.string().nullable().meta({ description: "HOST:PORT of AMQP; null until it has said so" }),
    version: z.string(),
    since: time,
    problems: reported,
  }),
);

/** `GET /v1/status`: how everything stands. */
export const statusAnswer = z.lazy(() =>
  z.object({
    directory: z.object({
      address: z.string(),
      version: z.string(),
      ...stamped,
      startedAt: time,
      now: time.meta({ description: "When it answered, by its clock" }),
      state: z.enum(["warming", "ready", "read-only"]),
      store: z.enum(["embedded", "etcd"]),
      guard: z.object({ held: z.int(), reason: z.string() }).nullable(),
    }),
    replicas: z
      .array(
        z.object({
          id: z.string(),
          address: z.string(),
          version: z.string(),
          startedAt: time,
          self: z.boolean().meta({ description: "Whether it is the one that answers" }),
        }),
      )
      .optional()
      .meta({ description: "The directories on its store; empty for a store that is not shared" }),
    watsons: z.array(
      z.object({
        name: z.string(),
        id: z.string(),
        version: z.string(),
        state: z.enum(["connected", "lost"]),
        since: time,
        instances: z.int(),
        problems: reported,
      }),
    ),
    sherlocks: z.array(
      z.object({
        name: z.string(),
        version: z.string(),
        revision: z.int().nullable(),
        lag: z.int(),
        since: time,
        problems: reported,
      }),
    ),
    routers: z.array(router).optional().meta({ description: "Left out by an older directory" }),
    problems: z.array(
      z.object({
        severity: z.enum(["error", "warning"]),
        subject: z.string(),
        message: z.string(),
        remedy: z.string().nullable(),
      }),
    ),
    counts: z.object({
      services: z.int(),
      instances: z.int(),
      routes: z.int(),
      problems: z.int().optional().meta({ description: "Of which `problems` has the first 500, the worst" }),
    }),
  }),
);

/** The Sherlocks and libraries that are connected. */
export const callersAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    callers: z.array(
      z.object({
        name: z.string(),
        id: z.string().optional().meta({ description: "Of one connection; several may have one name" }),
        kind: z.enum(["sherlock", "library"]),
        version: z.string(),
        zone: z.string().nullable(),
        revision: z.int().nullable(),
        since: time,
      }),
    ),
  }),
);

/** `GET /v1/routers`: the routers that are connected, with what each told of itself within the last seconds. */
export const routersAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    routers: z.array(
      router.unwrap().extend({
        ports: routerPortsSchema.meta({ description: "HOST:PORT of each, as others reach it" }),
        queues: z.array(queueReportSchema).meta({ description: "As `dw queue list --json`, at most 500" }),
        links: z.array(linkReportSchema).meta({ description: "As `dw link list --json`, at most 500" }),
        counts: routerReportSchema.shape.counts.meta({ description: "How many there are of all" }),
      }),
    ),
  }),
);

/** `GET /v1/routers/addresses`: where routers are reached. */
export const routerAddressesAnswer = z.lazy(() =>
  z.object({
    routers: z.array(z.object({ name: z.string(), host: z.string(), ports: routerPortsSchema })),
  }),
);

/** How many instances the guard has let end, and whose. */
export const guardReleaseAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    released: z.int().meta({ description: "Instances that end at once; for a dry run those that would" }),
    services: z
      .array(
        z.object({
          service: z.string(),
          released: z.int(),
          left: z.int().meta({ description: "Instances of it that stay in use" }),
        }),
      )
      .optional()
      .meta({ description: "Those that lose instances, the one with the fewest left first; 100 at the most" }),
    notes: outcome.notes.optional(),
    changed: outcome.changed.optional(),
  }),
);

/** How many records a backup holds, and how many of them were other ones before. */
export const restoreAnswer = z.lazy(() => z.object({ ...stamped, records: z.int(), changed: z.int() }));
