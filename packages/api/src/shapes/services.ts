import { INSTANCE_STATES, PROTOCOLS, serviceSettingsSchema } from "@datawire/protocol";
import { z } from "zod";
import { address, type DeepReadonly, dryRun, outcome, percent, time } from "./common.ts";
import { stamped } from "./table.ts";
import { traffic } from "./traffic.ts";

/** What the proxy of a caller finds of an instance that is live for its Watson. */
const finding = z.lazy(() =>
  z.object({
    caller: z.string(),
    kind: z.string().meta({
      description: "unreachable gets no request of that caller's; refused and unanswered get them in vain",
    }),
    message: z.string(),
    count: z.int().meta({ description: "Requests that met it, or a little more" }),
    since: time,
  }),
);

const instance = z.lazy(() =>
  z.object({
    name: z.string(),
    version: z.string().nullable(),
    url: z.string(),
    state: z.enum(INSTANCE_STATES),
    role: z.enum(["primary", "held", "routed"]),
    reason: z.string().nullable(),
    zone: z.string().nullable(),
    since: time,
    weight: z.int(),
    tags: z.array(z.string()),
    protocol: z.string().optional().meta({ description: "http, h2, tcp or amqp; left out by directories before 0.2" }),
    tls: z
      .object({ verify: z.boolean(), serverName: z.string().nullable() })
      .optional()
      .meta({ description: "How its certificate is verified; left out for the usual way" }),
    findings: z.array(finding).optional().meta({ description: "Left out where no proxy finds anything" }),
    traffic,
  }),
);

const service = z.lazy(() =>
  z.object({
    service: z.string(),
    protocol: z.string(),
    primary: z.string().nullable().meta({ description: "The primary generation; null while there is none" }),
    status: z.enum(["live", "degraded", "down"]),
    reason: z.string().nullable().meta({ description: "Why it is degraded or down; null when live" }),
    instances: z.array(instance),
    counts: z
      .object({ instances: z.int(), live: z.int(), held: z.int() })
      .optional()
      .meta({ description: "How many instances there are, how many of them are live, and how many held back" }),
    traffic,
  }),
);

/** A service as `GET /v1/services` and `dw service list --json` show it. */
export type ServiceListing = DeepReadonly<z.output<typeof service>>;
/** An instance as lists show it. */
export type InstanceListing = DeepReadonly<z.output<typeof instance>>;
/** What the proxy of a caller finds of an instance that it should use. */
export type InstanceFinding = NonNullable<InstanceListing["findings"]>[number];

/** Where the requests of a caller to a service go, and why each other instance gets none. */
export const explanation = z.lazy(() =>
  z.object({
    caller: z.string(),
    service: z.string(),
    shares: z
      .array(
        z.object({
          target: z.string(),
          percent,
          reason: z.string(),
          instances: z.array(z.object({ name: z.string(), url: z.string(), percent })),
        }),
      )
      .meta({ description: "The percents add up to 100, or there are none when nothing is live" }),
    excluded: z.array(z.object({ name: z.string(), reason: z.string() })),
    findings: z
      .array(finding.unwrap().extend({ name: z.string() }))
      .optional()
      .meta({ description: "What the proxies of that caller find of instances; left out where they find nothing" }),
    sessions: z
      .object({ cookie: z.string(), instances: z.array(z.object({ name: z.string(), url: z.string() })) })
      .optional()
      .meta({
        description: "With the balance policy cookie:NAME: where requests go that bring the cookie of a session",
      }),
  }),
);

/** What `dw explain --json` prints: where a request would go, and why each of the others gets none. */
export type Explanation = DeepReadonly<z.output<typeof explanation>>;

/** How the sessions of a service stay with an instance. */
export type ExplainedSessions = NonNullable<Explanation["sessions"]>;

/** Every service with its instances and how it stands. */
export const servicesAnswer = z.lazy(() => z.object({ ...stamped, services: z.array(service) }));

/** One service with its instances and its settings. */
export const serviceAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    service,
    settings: serviceSettingsSchema,
    declared: z.boolean().meta({ description: "Whether an operator added it; else it goes with its last instance" }),
    distributions: z
      .array(explanation)
      .optional()
      .meta({ description: "Where requests to it go: those of any caller, and of each caller with routes of its own" }),
  }),
);

/** Every instance, or those of one service. */
export const instancesAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    instances: z.array(
      instance.unwrap().extend({
        service: z.string(),
        watson: z.string().nullable().meta({ description: "The host of the Watson that registered it, where known" }),
        drained: z.boolean(),
      }),
    ),
  }),
);

const serviceChange = { ...stamped, service: z.string(), settings: serviceSettingsSchema.nullable(), ...outcome };

/** A service after its settings were changed. */
export const serviceChangeAnswer = z.lazy(() => z.object(serviceChange));

/** A service after another generation became its primary, and what any caller's requests come to. */
export const promotionAnswer = z.lazy(() => z.object({ ...serviceChange, distribution: explanation.nullable() }));

/** Where requests go after a change: those of any caller, and of each caller with routes of its own. */
export const resulting = z.lazy(() =>
  z
    .array(explanation)
    .optional()
    .meta({ description: "Where requests go then, by caller; left out by directories before this field" }),
);

/** An instance that was drained or resumed, and what the requests to its service come to. */
export const instanceChangeAnswer = z.lazy(() =>
  z.object({
    ...stamped,
    instance: z.string(),
    distributions: resulting,
    ...outcome,
  }),
);

/** Where the requests of each caller of each service go. */
export const distributionsAnswer = z.lazy(() => z.object({ ...stamped, distributions: z.array(explanation) }));

/** Where one request would go, and why. */
export const explainAnswer = z.lazy(() => z.object({ ...stamped, explanation }));

const settingsShape = serviceSettingsSchema.shape;

/** Without the defaults, so that what is left out stays as it is; null stands for the default. */
const settings = {
  defaultUrl: settingsShape.defaultUrl.unwrap().optional(),
  failover: settingsShape.failover.unwrap().nullable().optional(),
  balance: settingsShape.balance.unwrap().optional(),
  timeoutMs: settingsShape.timeoutMs.unwrap().optional(),
  connectTimeoutMs: settingsShape.connectTimeoutMs.unwrap().optional(),
  queueTimeoutMs: settingsShape.queueTimeoutMs.unwrap().optional(),
  retries: settingsShape.retries.unwrap().optional(),
  maxConnections: settingsShape.maxConnections.unwrap().optional(),
  slowStartMs: settingsShape.slowStartMs.unwrap().optional(),
};

/** Declares a service before its instances come. */
export const serviceAddBody = z.lazy(() =>
  z.strictObject({
    service: address,
    primary: z.string().max(100).optional().meta({ description: "A generation: the first part of versions" }),
    protocol: z.enum(PROTOCOLS).optional(),
    dryRun,
    ...settings,
  }),
);

/** Changes settings of a service: what is left out stays, null brings the default back. */
export const serviceSetBody = z.lazy(() => z.strictObject({ dryRun, ...settings }));

/** Makes a generation the primary. */
export const promoteBody = z.lazy(() =>
  z.strictObject({
    generation: z
      .string()
      .max(100)
      .nullable()
      .meta({ description: 'The first part of versions; null or "" for instances without a version' }),
    dryRun,
  }),
);

/** Names the instance to drain or to resume. */
export const instanceBody = z.lazy(() => z.strictObject({ instance: address, dryRun }));
