import { instanceSchema, ROLES, routeTableSchema, serviceSchema, serviceSettingsSchema } from "@datawire/protocol";
import { z } from "zod";

/** The shapes of all answers, for the OpenAPI page; a test holds the real answers against them. */

const stamped = { epoch: z.string(), revision: z.int() };
const time = z.iso.datetime().meta({ description: "RFC 3339" });
const percent = z.number().min(0).max(100);
const notes = z.array(z.string()).meta({ description: "What the user should know although nothing is wrong" });
const changed = z.boolean().meta({ description: "False when all was so already, and for a dry run" });
const severity = z.enum(["error", "warning"]);
const reported = z.array(
  z.strictObject({
    subject: z.string(),
    message: z.string(),
    severity: severity.optional(),
    remedy: z.string().optional(),
  }),
);

const instance = z.strictObject({
  name: z.string(),
  version: z.string().nullable(),
  url: z.string(),
  state: z.enum(["live", "down", "draining", "lost"]),
  role: z.enum(["primary", "held", "routed"]),
  reason: z.string().nullable(),
  zone: z.string().nullable(),
  since: time,
  weight: z.int(),
  tags: z.array(z.string()),
});

const service = z.strictObject({
  service: z.string(),
  protocol: z.string(),
  primary: z.string().nullable(),
  status: z.enum(["live", "degraded", "down"]),
  reason: z.string().nullable(),
  instances: z.array(instance),
});

const route = z.strictObject({
  caller: z.string(),
  service: z.string(),
  target: z.string(),
  percent,
  status: z.enum(["active", "waiting"]),
  reading: z.enum(["caller", "service"]),
  when: z.string().nullable(),
  sticky: z.string().nullable(),
  expires: time.nullable(),
});

const token = z.strictObject({
  id: z.string(),
  role: z.enum(ROLES),
  services: z.array(z.string()).nullable(),
  tenant: z.string().nullable(),
  created: time,
  createdBy: z.string(),
  expires: time.nullable(),
  expired: z.boolean(),
});

const explanation = z.strictObject({
  caller: z.string(),
  service: z.string(),
  shares: z.array(
    z.strictObject({
      target: z.string(),
      percent,
      reason: z.string(),
      instances: z.array(z.strictObject({ name: z.string(), url: z.string(), percent })),
    }),
  ),
  excluded: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
});

const serviceChange = {
  ...stamped,
  service: z.string(),
  settings: serviceSettingsSchema.nullable(),
  notes,
  changed,
};

export const answers = {
  services: z.strictObject({ ...stamped, services: z.array(service) }),
  service: z.strictObject({ ...stamped, service, settings: serviceSettingsSchema, declared: z.boolean() }),
  instances: z.strictObject({
    ...stamped,
    instances: z.array(
      instance.extend({ service: z.string(), watson: z.string().nullable(), drained: z.boolean() }).strict(),
    ),
  }),
  routes: z.strictObject({ ...stamped, routes: z.array(route) }),
  routeChange: z.strictObject({
    ...stamped,
    routes: z.array(route),
    distribution: explanation.nullable(),
    notes,
    changed,
  }),
  history: z.strictObject({
    ...stamped,
    history: z.array(
      z.strictObject({
        id: z.int(),
        at: time,
        who: z.string(),
        verified: z.boolean(),
        action: z.string(),
        undone: z.boolean(),
      }),
    ),
  }),
  undo: z.strictObject({ ...stamped, action: z.string(), undone: z.string(), notes, changed }),
  serviceChange: z.strictObject(serviceChange),
  promotion: z.strictObject({ ...serviceChange, distribution: explanation.nullable() }),
  instanceChange: z.strictObject({ ...stamped, instance: z.string(), notes, changed }),
  distributions: z.strictObject({ ...stamped, distributions: z.array(explanation) }),
  explanation: z.strictObject({ ...stamped, explanation }),
  callers: z.strictObject({
    ...stamped,
    callers: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(["sherlock", "library"]),
        version: z.string(),
        zone: z.string().nullable(),
        revision: z.int().nullable(),
        since: time,
      }),
    ),
  }),
  table: z.strictObject({
    ...stamped,
    services: z.array(serviceSchema),
    instances: z.array(instanceSchema),
    tables: z.array(routeTableSchema),
    gone: z.strictObject({
      services: z.array(z.string()),
      instances: z.array(z.string()),
      tables: z.array(z.string()),
    }),
  }),
  counters: z.strictObject({
    from: time,
    until: time,
    counters: z.array(
      z.strictObject({
        caller: z.string(),
        service: z.string(),
        version: z.string().nullable(),
        instance: z.string().nullable(),
        requests: z.int(),
        responses: z.array(z.int()).length(5).meta({ description: "By class, 1xx to 5xx" }),
        failures: z.int(),
        latencyMs: z.strictObject({ average: z.number(), max: z.number() }).nullable(),
        latencies: z.array(z.number()).meta({
          description:
            "How many requests took how long until the head of their response: the first millisecond of a bucket and how many are in it, in turn; empty where no Sherlock looks (`percentiles` in sherlock.yaml)",
        }),
      }),
    ),
  }),
  release: z.strictObject({ ...stamped, released: z.int() }),
  restore: z.strictObject({ ...stamped, records: z.int(), changed: z.int() }),
  tokens: z.strictObject({ tokens: z.array(token) }),
  tokenCreation: token.extend({ token: z.string() }),
  tokenRevocation: z.strictObject({ revoked: token }),
  status: z.object({
    directory: z.object({
      address: z.string(),
      version: z.string(),
      ...stamped,
      startedAt: time,
      now: time,
      state: z.enum(["warming", "ready", "read-only"]),
      store: z.enum(["embedded", "etcd"]),
      guard: z.strictObject({ held: z.int(), reason: z.string() }).nullable(),
    }),
    replicas: z.array(
      z.object({ id: z.string(), address: z.string(), version: z.string(), startedAt: time, self: z.boolean() }),
    ),
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
    problems: z.array(
      z.strictObject({
        severity,
        subject: z.string(),
        message: z.string(),
        remedy: z.string().nullable(),
      }),
    ),
    counts: z.strictObject({ services: z.int(), instances: z.int(), routes: z.int() }),
  }),
} as const;
