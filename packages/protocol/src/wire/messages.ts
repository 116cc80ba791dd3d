import { z } from "zod";
import { ERROR_CODES } from "../words/errors.ts";
import {
  instanceSchema,
  momentSchema,
  registrationSchema,
  routeTableSchema,
  serviceSchema,
  tableChangeSchema,
} from "../entities/model.ts";
import { NAME_PATTERN, NAME_RULE } from "../words/names.ts";
import { LOG_LEVELS, logEventSchema, LOGS_MESSAGE_EVENTS_MAX, TRACE_ID_LENGTH_MAX } from "./log-events.ts";

/** The most buckets (`sectors` on the wire) that a table is told in: a power of two, which all smaller counts divide. */
export const BUCKETS_MAX = 4_096;
/** Hexadecimal digits of one bucket in text. */
export const BUCKET_DIGITS = 8;

/**
 * The messages of the link: JSON objects, one a WebSocket text frame. Unknown fields are ignored; an unknown `type` is
 * answered with an error, so that a newer side can talk to an older one.
 */

/** Versions of the link that this code speaks. */
export const LINK_VERSIONS = { min: 1, max: 1 } as const;

/** The largest frame that either side accepts, and the most entities that one frame of a snapshot carries. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** The most services, instances and route tables, together, in one part of a snapshot. */
export const SNAPSHOT_PART_ENTITIES = 2_000;
/** The most instances that one Watson may hold. */
export const REGISTRATIONS_MAX = 10_000;

/** Twice what ours has, so that one with finer buckets is understood. */
const HISTOGRAM_NUMBERS_MAX = 700;

/** 32 bytes as base64url. */
export const SESSION_KEY_PATTERN = /^[A-Za-z0-9_-]{43}$/;

const name = z.string().regex(NAME_PATTERN, NAME_RULE).meta({ wanted: NAME_RULE });

/** What `Catalog.hash` gives of the table that the subscriber sees. Left out by peers that know nothing of it. */
const hash = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .meta({ wanted: "16 hexadecimal digits" })
  .optional();

/** What `Catalog.buckets` gives of it. Left out by peers that know nothing of sectors. */
const sectors = z
  .string()
  .regex(/^([0-9a-f]{8})*$/)
  .max(BUCKETS_MAX * BUCKET_DIGITS)
  .meta({ wanted: "8 hexadecimal digits for each sector" })
  .optional();

/** What a client of the link may say it is. */
export const CLIENT_KINDS = ["watson", "sherlock", "library", "dw"] as const;
/** What a client of the link is: one of `CLIENT_KINDS`. */
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** First message of a client. */
export const helloSchema = z.object({
  type: z.literal("hello"),
  /** Which versions of the link it speaks. */
  link: z.object({ min: z.int(), max: z.int() }),
  kind: z.enum(CLIENT_KINDS),
  /** The caller, for a Sherlock or a library; the host, for a Watson. */
  name,
  /** Random and kept across restarts by a Watson; random for each start of others. */
  id: z.string().min(8).max(64),
  /** The program's own version. */
  version: z.string().max(100),
  /** Where a Sherlock or a library is, so that `explain` sees what it sees; left out by a client that prefers no zone. */
  zone: name.nullish(),
  /** Which of the tenant's tables it registers in and follows; left out for `sandbox`. */
  environment: name.optional(),
  /** Null for a client that wants no table. */
  subscribe: z
    .object({
      /** Only these services; null for all. */
      services: z.array(name).max(1_000).nullable().default(null),
      /** The table that it holds, so that it is sent only what it lacks. */
      have: z.object({ epoch: z.string(), revision: z.int(), hash, sectors }).nullable().default(null),
      /**
       * How many instances it holds, whatever table they are from: a directory that has just started and knows of fewer
       * waits a little longer for Watsons. Left out by a subscriber that holds none, or knows nothing of it.
       */
      holds: z.int().min(0).optional(),
    })
    .nullable()
    .default(null),
});

/** A Watson's whole set. What the directory holds from this Watson beyond it goes away. */
export const registerSchema = z.object({
  type: z.literal("register"),
  /** Counts the messages of this connection that want an answer. */
  seq: z.int().min(0),
  instances: z.array(registrationSchema).max(REGISTRATIONS_MAX),
});

/** What changed in a Watson's set since its last `register` or `update`. */
export const updateSchema = z.object({
  type: z.literal("update"),
  seq: z.int().min(0),
  instances: z.array(registrationSchema).max(REGISTRATIONS_MAX).default([]),
  /** Keys `SERVICE@INSTANCE`. */
  gone: z.array(z.string()).max(REGISTRATIONS_MAX).default([]),
});

/** Something that an operator should see in `dw status`. */
export const reportedProblemSchema = z.object({
  /** What it is about: a file and its line, `//barker@vm102`, `HAProxy`. */
  subject: z.string().max(320),
  message: z.string().max(1_000),
  /** Left out for a warning. */
  severity: z.enum(["error", "warning"]).optional(),
  /** What helps, where the program knows it. */
  remedy: z.string().max(1_000).optional(),
  /**
   * Of an instance, the subject, that is live and of no use to the proxy of a subscriber: `unreachable` gets no requests,
   * `refused` and `unanswered` get them in vain. How many have met it, and since when, in milliseconds since 1970.
   */
  finding: z
    .object({ kind: z.string().max(20), count: z.int().min(0), sinceMs: z.number() })
    .optional()
    .catch(undefined),
});
/** A problem that a program has told, read. */
export type ReportedProblem = z.infer<typeof reportedProblemSchema>;

/** What a subscriber has applied: a Sherlock says it once its proxy follows that revision. */
export const appliedSchema = z.object({
  type: z.literal("applied"),
  epoch: z.string(),
  revision: z.int(),
  /** What the subscriber could not do with the table: a service that its proxy refused, a port that is taken. */
  problems: z.array(reportedProblemSchema).max(100).default([]),
});

/** One line of a Sherlock's counters, since its last message. */
export const counterSchema = z.object({
  service: name,
  version: z.string().max(100).nullable(),
  instance: z.string().max(100).nullable(),
  requests: z.int().min(0),
  /** By class: 1xx to 5xx. */
  responses: z.tuple([z.int(), z.int(), z.int(), z.int(), z.int()]),
  /** Requests that got no response of the instance's own. */
  failures: z.int().min(0),
  latencyMs: z.object({ average: z.number().min(0), max: z.number().min(0) }).nullable(),
  /**
   * How many requests took how long, until the head of their response: the first millisecond of a bucket and how many
   * are in it, in turn (`Histogram`). Those of a sample count for those that they stand for. Left out where the Sherlock
   * does not look, and by one that knows nothing of it.
   */
  latencies: z.array(z.int().min(0)).max(HISTOGRAM_NUMBERS_MAX).optional(),
});
/** One line of a Sherlock's counters, read. */
export type Counter = z.infer<typeof counterSchema>;

/** What a Sherlock has counted within the last `periodMs`; a directory adds it up. */
export const countersSchema = z.object({
  type: z.literal("counters"),
  periodMs: z.int().min(1),
  counters: z.array(counterSchema).max(20_000),
});

/** What a program wants an operator to see in `dw status`: a service file in error, say. Replaces what it said before. */
export const problemsSchema = z.object({
  type: z.literal("problems"),
  problems: z.array(reportedProblemSchema).max(100),
});

/**
 * What a library has logged, oldest first. A directory keeps each event once by the id of the library and its number, as
 * those that were not acknowledged come again over the next link.
 */
export const logsSchema = z.object({
  type: z.literal("logs"),
  /** The number of the first of these events; the others follow it. */
  seq: z.int().min(0),
  events: z.array(logEventSchema).max(LOGS_MESSAGE_EVENTS_MAX),
});

/** Asks for log events of the tenant from now on; a second one replaces the first. */
export const followLogsSchema = z.object({
  type: z.literal("followLogs"),
  /** Only of this trace; null for all. */
  trace: z.string().max(TRACE_ID_LENGTH_MAX).nullable().default(null),
  /** Of this level and worse; null asks for none any more. */
  level: z.enum(LOG_LEVELS).nullable().default("DEBUG"),
});

/** Everything that a client of the link may say; `hello` is the first. */
export const clientMessageSchema = z.discriminatedUnion("type", [
  helloSchema,
  registerSchema,
  updateSchema,
  appliedSchema,
  countersSchema,
  problemsSchema,
  logsSchema,
  followLogsSchema,
]);
/** Any message of a client, read. */
export type ClientMessage = z.infer<typeof clientMessageSchema>;
/** The first message of a client. */
export type Hello = z.infer<typeof helloSchema>;

/** First message of a directory. It pings; a client that hears nothing for two heartbeats takes the link for dead. */
export const welcomeSchema = z.object({
  type: z.literal("welcome"),
  link: z.int(),
  /** The directory's own address, `//host/directory`. */
  directory: z.string(),
  version: z.string(),
  heartbeatMs: z.int().min(1),
  leaseMs: z.int().min(1),
  /**
   * For Sherlocks: what they make the cookies of sessions with (balance `cookie:NAME`), 32 bytes as base64url, so that
   * each understands those of the others. To be kept, as the table is. Left out by a directory that knows nothing of it.
   */
  sessionKey: z.string().regex(SESSION_KEY_PATTERN).optional(),
});

/**
 * A whole table, in one or more parts; it holds when the last has come. `warming` says that the directory has just
 * started and that instances may still be missing: a subscriber that has a larger table keeps what this one lacks until
 * a `warm` message comes.
 */
export const snapshotSchema = z.object({
  type: z.literal("snapshot"),
  epoch: z.string(),
  revision: z.int(),
  part: z.int().min(0),
  last: z.boolean(),
  warming: z.boolean().default(false),
  services: z.array(serviceSchema).default([]),
  instances: z.array(instanceSchema).default([]),
  tables: z.array(routeTableSchema).default([]),
  /**
   * Only these sectors of the table are in it, in all parts together: the subscriber has said in its `hello` what it has
   * of each, and what it has elsewhere is right. Left out for a whole table; in the first part.
   */
  sectors: z.object({ of: z.int().min(1).max(BUCKETS_MAX), these: z.array(z.int()).max(BUCKETS_MAX) }).optional(),
  /** Of the whole table that all parts together lead to; in the last one. */
  hash,
});

/**
 * What changed from one revision to another. An empty one says that nothing did: `from` is then `revision`, and where the
 * subscriber has said in its `hello` that it has a table with this very hash, the epoch may be a new one.
 */
export const deltaSchema = z.object({
  type: z.literal("delta"),
  epoch: z.string(),
  from: z.int(),
  revision: z.int(),
  /** When the oldest change in it happened, by the directory's clock; for the metric of how long changes take. */
  atMs: momentSchema,
  change: tableChangeSchema,
  /** Of the table that the change leads to. */
  hash,
});

/** The warm-up is over: the table is whole. */
export const warmSchema = z.object({ type: z.literal("warm") });

/** The answer to `register` and `update`: durable as far as registrations are. */
export const registeredSchema = z.object({
  type: z.literal("registered"),
  seq: z.int(),
  /** The instances that were left out, and why; the others hold. */
  refused: z.array(z.object({ instance: z.string(), code: z.enum(ERROR_CODES), message: z.string() })).default([]),
});

/** A drain or resume that an operator asked for; a Watson shows and keeps it until the next one. */
export const drainingSchema = z.object({
  type: z.literal("draining"),
  /** Keys `SERVICE@INSTANCE` of this Watson's instances that an operator has drained. */
  instances: z.array(z.string()),
});

/** Log events up to, and without, this number are kept: they need not come again. */
export const loggedSchema = z.object({ type: z.literal("logged"), seq: z.int().min(0) });

/** Log events that a client follows; `node` is who logged each. */
export const logSchema = z.object({
  type: z.literal("log"),
  events: z.array(logEventSchema.extend({ node: z.string().max(200) })),
});

/** What a directory could not do with a message, or with a client. */
export const errorMessageSchema = z.object({
  type: z.literal("error"),
  code: z.enum(ERROR_CODES),
  message: z.string(),
  /** True when the directory closes the link and trying again without a change is of no use. */
  fatal: z.boolean().default(false),
});

/** Everything that a directory may say on the link; `welcome` or a fatal `error` is the first. */
export const serverMessageSchema = z.discriminatedUnion("type", [
  welcomeSchema,
  snapshotSchema,
  deltaSchema,
  warmSchema,
  registeredSchema,
  drainingSchema,
  loggedSchema,
  logSchema,
  errorMessageSchema,
]);
/** Any message of a directory, read. */
export type ServerMessage = z.infer<typeof serverMessageSchema>;
