import { z } from "zod";
import { NAME_PATTERN, NAME_RULE } from "../words/names.ts";
import { isHostName, PROTOCOLS, URL_LENGTH_MAX } from "../addresses/instance-url.ts";
import { SLOTS } from "../words/percent.ts";
import { VERSION_PATTERN, VERSION_RULE } from "../words/version.ts";

/**
 * What a directory keeps and distributes: services, instances and route tables. Each is one entity with one key, so
 * that a change is a list of entities that are new and of keys that are gone. Times are milliseconds since 1970.
 */

/** The last moment that a `Date` can hold: a later one could not be shown. */
const TIME_MS_MAX = 8.64e15;
/** A moment, in milliseconds since 1970. */
export const momentSchema = z.number().min(0).max(TIME_MS_MAX);

/** Counting goes on from the largest count that was ever read, so there has to be room above it. */
const COUNT_MAX = 2 ** 48;
/** A sequence number: how many were ever made. */
export const countSchema = z.int().min(0).max(COUNT_MAX);

const name = z.string().regex(NAME_PATTERN, NAME_RULE).meta({ wanted: NAME_RULE });
const version = z.string().regex(VERSION_PATTERN, VERSION_RULE).meta({ wanted: VERSION_RULE });

/**
 * `live` takes requests, and so does `lost`: the directory has lost sight of its Watson, which says nothing about the
 * instance. `draining` takes no new requests; `down` takes none.
 */
export const INSTANCE_STATES = ["live", "down", "draining", "lost"] as const;

/**
 * How the checks found an instance down: `refused` when its machine refused the connection, so that nothing listens
 * there; `timeout` when nothing came back, as from a frozen process or a machine that is gone; `failed` when it
 * answered, but not as it should.
 */
export const DOWN_CAUSES = ["refused", "timeout", "failed"] as const;
/** How an instance was found down: one of `DOWN_CAUSES`. */
export type DownCause = (typeof DOWN_CAUSES)[number];

/** The largest weight of an instance, which is the largest that HAProxy takes. */
export const WEIGHT_MAX = 256;
/** The weight of an instance for which none is given. */
const WEIGHT_DEFAULT = 100;
/** The most tags of an instance. */
export const TAGS_MAX = 32;

/** How the certificate of an instance is verified, by its checks and by the traffic alike. */
const tlsSchema = z.object({
  /** Whether the certificate is verified at all. */
  verify: z.boolean(),
  /** The name that the certificate has to carry, also sent as SNI; null for the host of the URL. */
  serverName: z.string().refine(isHostName).nullable(),
});
/** How the certificate of an instance is verified. */
export type InstanceTls = z.infer<typeof tlsSchema>;

/** What a Watson says of one instance on its machine. */
export const registrationSchema = z.object({
  service: name,
  /** Unique within the service. */
  name,
  version: version.nullable().default(null),
  url: z.string().max(URL_LENGTH_MAX),
  protocol: z.enum(PROTOCOLS).default("http"),
  /** `lost` is for the directory alone to say. */
  state: z.enum(["live", "down", "draining"]),
  /** Why it is not live, for people; null when it is. */
  reason: z.string().max(500).nullable().default(null),
  /** The kind of that reason, for programs; null when the instance is not down, or when the kind is unknown. */
  cause: z.enum(DOWN_CAUSES).nullable().catch(null).default(null),
  /** Relative to the other instances of the same target. */
  weight: z.int().min(1).max(WEIGHT_MAX).default(WEIGHT_DEFAULT),
  zone: name.nullable().default(null),
  tags: z.array(z.string().max(100)).max(TAGS_MAX).default([]),
  /** The local port that a TCP service proposes. */
  proxyPort: z.int().min(1).max(65_535).nullable().default(null),
  /** How long requests that are open when the instance leaves the pool may still take. */
  drainMs: z.int().min(0).default(10_000),
  /**
   * Left out where the certificate is verified by the host of the URL, as usual, and by an older Watson, which knows
   * nothing else.
   */
  tls: tlsSchema.optional().catch(undefined),
  /**
   * For an instance without an endpoint of its own, which takes its messages from a router: `router` where it
   * registered itself there, `watson` where a service file registers it.
   */
  via: z.enum(["router", "watson"]).optional().catch(undefined),
});
/** What a Watson says of one instance, after parsing. */
export type Registration = z.infer<typeof registrationSchema>;

/**
 * The properties of an instance of which only the name and the URL are given: live, of default weight, in no zone, and
 * without a drain time.
 */
export const plainInstance = (): Pick<
  Registration,
  "state" | "reason" | "cause" | "weight" | "zone" | "tags" | "proxyPort" | "drainMs"
> => ({
  state: "live",
  reason: null,
  cause: null,
  weight: WEIGHT_DEFAULT,
  zone: null,
  tags: [],
  proxyPort: null,
  drainMs: 0,
});

/** An instance as the table holds it. */
export const instanceSchema = registrationSchema.extend({
  state: z.enum(INSTANCE_STATES),
  /** Since when it is in this state, by the directory's clock. */
  since: momentSchema,
  /** Counts first registrations in the directory: lower registered earlier. `ordered` and "newest" go by it. */
  order: countSchema,
});
/** An instance of the table, after parsing. */
export type Instance = z.infer<typeof instanceSchema>;
/** How an instance stands: one of `INSTANCE_STATES`. */
export type InstanceState = Instance["state"];

/** What an operator set for a service with `dw service add` and `set`; null is "the default". */
export const serviceSettingsSchema = z.object({
  /** The URL that takes the requests when no instance is live at all. */
  defaultUrl: z.string().max(URL_LENGTH_MAX).nullable().default(null),
  /**
   * `none` answers 503 for the share of a primary that has no live instance, instead of sending these requests
   * elsewhere.
   */
  failover: z.enum(["any", "none"]).default("any"),
  /** As typed; see `parseBalance`. */
  balance: z.string().max(120).nullable().default(null),
  /** How long the first byte of a response may take, and how long a response that is not a stream may be silent. */
  timeoutMs: z.int().min(1).nullable().default(null),
  connectTimeoutMs: z.int().min(1).nullable().default(null),
  /** How long a request may wait for a free connection when `maxConnections` is reached. */
  queueTimeoutMs: z.int().min(1).nullable().default(null),
  retries: z.int().min(0).max(10).nullable().default(null),
  /** To one instance, from one Sherlock. */
  maxConnections: z.int().min(1).nullable().default(null),
  /** How long an instance that comes back takes to grow to its full weight. */
  slowStartMs: z.int().min(0).nullable().default(null),
});
/** What an operator set for a service, after parsing. */
export type ServiceSettings = z.infer<typeof serviceSettingsSchema>;

/** A service as the table holds it. */
export const serviceSchema = z.object({
  name,
  protocol: z.enum(PROTOCOLS).default("http"),
  /** The generation that takes traffic without a route: "" for instances without a version, null until one is seen. */
  primary: z.string().max(100).nullable().default(null),
  /** Whether an operator added it; a service that is merely registered is removed with its last instance. */
  declared: z.boolean().default(false),
  /** The local port that its instances propose, for TCP. */
  proxyPort: z.int().min(1).max(65_535).nullable().default(null),
  settings: serviceSettingsSchema.prefault({}),
});
/** A service of the table, after parsing. */
export type Service = z.infer<typeof serviceSchema>;

/** A half-open range of slots, `[from, to)`. */
export const slotRangeSchema = z.tuple([z.int().min(0).max(SLOTS), z.int().min(0).max(SLOTS)]);
/** A half-open range of slots, `[from, to)`, from 0 to `SLOTS`. */
export type SlotRange = z.infer<typeof slotRangeSchema>;

const targetAddress = z.string().max(320);

/** What a route says, apart from how long it says so. */
const routeBody = {
  /** Canonical address: `//barker(2)`, `//barker@vm102`, `//barker`. */
  target: targetAddress,
  /** In slots: 0 to 10,000. */
  share: z.int().min(0).max(SLOTS),
  /** Which slots the route has, `share` many in all. They are stored, so that a sticky user stays on the same side. */
  slots: z.array(slotRangeSchema),
  /** As typed; see `parseWhen`. */
  when: z.string().max(400).nullable().default(null),
};

/** A route as the table holds it, within the `RouteTable` of its caller and service. */
export const routeSchema = z.object({
  ...routeBody,
  reading: z.enum(["caller", "service"]),
  /** Counts the routes ever made: lower is older. */
  order: countSchema,
  /** When the route ends by itself, and what it then becomes again; null brings nothing back. */
  expiry: z
    .object({
      atMs: momentSchema,
      before: z.object({ share: z.int().min(0).max(SLOTS), when: z.string().max(400).nullable() }).nullable(),
    })
    .nullable()
    .default(null),
});
/** A route of the table, after parsing. */
export type Route = z.infer<typeof routeSchema>;

/** All routes of one caller (`*` for any) for the requests addressed to one service. Changed as a whole. */
export const routeTableSchema = z.object({
  caller: z.union([z.literal("*"), name]),
  service: name,
  /** As typed; see `parseSticky`. */
  sticky: z.string().max(120).nullable().default(null),
  /** In the order of their making; never empty. */
  routes: z.array(routeSchema).min(1),
});
/** The routes of one caller to one service, after parsing. */
export type RouteTable = z.infer<typeof routeTableSchema>;

/** What is new and what is gone between two revisions of a table. Applying one twice changes nothing. */
export const tableChangeSchema = z.object({
  services: z.array(serviceSchema).default([]),
  instances: z.array(instanceSchema).default([]),
  tables: z.array(routeTableSchema).default([]),
  gone: z
    .object({
      services: z.array(z.string()).default([]),
      instances: z.array(z.string()).default([]),
      tables: z.array(z.string()).default([]),
    })
    .prefault({}),
});
/** What is new and what is gone between two revisions, after parsing. */
export type TableChange = z.infer<typeof tableChangeSchema>;

/** The key of a service in a table. */
export const serviceKey = (service: { readonly name: string }): string => service.name;
/** The key of an instance in a table, `SERVICE@INSTANCE`. */
export const instanceKey = (instance: { readonly service: string; readonly name: string }): string =>
  `${instance.service}@${instance.name}`;
/** The key of a route table in a table, `CALLER>SERVICE`. */
export const tableKey = (table: { readonly caller: string; readonly service: string }): string =>
  `${table.caller}>${table.service}`;

/** Whether new requests may go to it. */
export function isUsable(instance: { readonly state: InstanceState }): boolean {
  return instance.state === "live" || instance.state === "lost";
}

/** Whether the sessions in its memory can go on, as they can while it takes no new ones. */
export function keepsSessions(instance: { readonly state: InstanceState }): boolean {
  return isUsable(instance) || instance.state === "draining";
}

/** An empty change, to be filled. */
export const emptyChange = (): TableChange => ({
  services: [],
  instances: [],
  tables: [],
  gone: { services: [], instances: [], tables: [] },
});

/** Whether a change is empty. */
export function isEmptyChange({ services, instances, tables, gone }: TableChange): boolean {
  return [services, instances, tables, gone.services, gone.instances, gone.tables].every((list) => list.length === 0);
}
