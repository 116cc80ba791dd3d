import { z } from "zod";
import { registrationSchema } from "../entities/model.ts";
import { NAME_PATTERN, NAME_RULE } from "../words/names.ts";
import { certifySchema } from "./certificates.ts";
import { hash, sectors } from "./digests.ts";
import { REGISTRATIONS_MAX } from "./limits.ts";
import { routerReportSchema } from "./router-report.ts";
import { LOG_LEVELS, logEventSchema, LOGS_MESSAGE_EVENTS_MAX, TRACE_ID_LENGTH_MAX } from "./log-events.ts";

/**
 * The messages of the link: JSON objects, each in one WebSocket text frame. Unknown fields are ignored and an unknown
 * `type` is answered with an error, so that a newer side can talk to an older one.
 */

/** Twice as many as our own histograms have, so that a histogram with finer buckets is understood. */
const HISTOGRAM_NUMBERS_MAX = 700;

const name = z.string().regex(NAME_PATTERN, NAME_RULE).meta({ wanted: NAME_RULE });

/** What a client of the link may say it is. */
export const CLIENT_KINDS = ["watson", "sherlock", "library", "dw", "router"] as const;
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
  /** The environment, that is, which of the tenant's tables it registers in and follows; left out for the usual one. */
  environment: name.optional(),
  /** Null for a client that wants no table. */
  subscribe: z
    .object({
      /** Only these services; null for all. */
      services: z.array(name).max(1_000).nullable().default(null),
      /** The table that the client holds, so that the directory sends only what differs. */
      have: z.object({ epoch: z.string(), revision: z.int(), hash, sectors }).nullable().default(null),
      /**
       * How many instances the subscriber knows, whatever table they are from: a directory that has just started and
       * knows fewer waits a little longer for Watsons. Left out by a subscriber that knows none, or is older than this
       * field.
       */
      holds: z.int().min(0).optional(),
    })
    .nullable()
    .default(null),
});

/** A Watson's whole set: the directory removes all other instances of this Watson. */
export const registerSchema = z.object({
  type: z.literal("register"),
  /** The number of this message among those of the connection that are answered. */
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
   * Set where the subject is an instance that is live, but that a subscriber's proxy cannot use: an `unreachable` one
   * gets no requests, `refused` and `unanswered` ones get requests that fail. `count` is how often that happened, and
   * `sinceMs` since when, in milliseconds since 1970.
   */
  finding: z
    .object({ kind: z.string().max(20), count: z.int().min(0), sinceMs: z.number() })
    .optional()
    .catch(undefined),
});
/** A problem that a program has reported, after parsing. */
export type ReportedProblem = z.infer<typeof reportedProblemSchema>;

/** What a subscriber has applied: a Sherlock says it once its proxy follows that revision. */
export const appliedSchema = z.object({
  type: z.literal("applied"),
  epoch: z.string(),
  revision: z.int(),
  /** What the subscriber could not do with the table: a service that its proxy refused, a port that is taken. */
  problems: z.array(reportedProblemSchema).max(100).default([]),
});

/** One line of the counters of a Sherlock or a library, since its last message. */
export const counterSchema = z.object({
  service: name,
  version: z.string().max(100).nullable(),
  instance: z.string().max(100).nullable(),
  requests: z.int().min(0),
  /** By class: 1xx to 5xx. */
  responses: z.tuple([z.int(), z.int(), z.int(), z.int(), z.int()]),
  /** Requests that the instance did not answer. */
  failures: z.int().min(0),
  latencyMs: z.object({ average: z.number().min(0), max: z.number().min(0) }).nullable(),
  /**
   * How long the requests took until the head of the response: a `Histogram`. A sampled request counts for all that it
   * stands for. Left out where the Sherlock does not measure latencies, and by an older Sherlock.
   */
  latencies: z.array(z.int().min(0)).max(HISTOGRAM_NUMBERS_MAX).optional(),
});
/** One line of such counters, after parsing. */
export type Counter = z.infer<typeof counterSchema>;

/** What a Sherlock or a library has counted within the last `periodMs`; a directory adds it up. */
export const countersSchema = z.object({
  type: z.literal("counters"),
  periodMs: z.int().min(1),
  /**
   * `latencies` are from one request in this many; left out where they are from every request, and by an older
   * Sherlock.
   */
  oneIn: z.int().min(1).optional(),
  /**
   * The table by which requests were routed at the beginning of that time; null where that is unknown. Left out by an
   * older client.
   */
  since: z.object({ epoch: z.string(), revision: z.int() }).nullish(),
  counters: z.array(counterSchema).max(20_000),
});

/** What a program wants an operator to see in `dw status`: a service file in error, say. Replaces what it said before. */
export const problemsSchema = z.object({
  type: z.literal("problems"),
  problems: z.array(reportedProblemSchema).max(100),
});

/**
 * What a library has logged, oldest first. Events that were not acknowledged are sent again over the next link; by the
 * id of the library and the number of the event, a directory keeps each one once.
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
  /** Events of this level and worse; null ends the stream. */
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
  routerReportSchema,
  certifySchema,
]);
/** Any message of a client, after parsing. */
export type ClientMessage = z.infer<typeof clientMessageSchema>;
/** The first message of a client. */
export type Hello = z.infer<typeof helloSchema>;
