import { z } from "zod";
import { instanceSchema, momentSchema, routeTableSchema, serviceSchema, tableChangeSchema } from "../entities/model.ts";
import { ACCESS_PART_TOKENS, routerTokenSchema } from "./access.ts";
import { certificateSchema } from "./certificates.ts";
import { ERROR_CODES } from "../words/errors.ts";
import { BUCKETS_MAX, hash } from "./digests.ts";
import { SESSION_KEY_PATTERN } from "./limits.ts";
import { logEventSchema } from "./log-events.ts";

/**
 * First message of a directory. The directory pings every `heartbeatMs`; a client that hears nothing for two of these
 * takes the link to be dead.
 */
export const welcomeSchema = z.object({
  type: z.literal("welcome"),
  link: z.int(),
  /** The directory's own address, `//host/directory`. */
  directory: z.string(),
  version: z.string(),
  heartbeatMs: z.int().min(1),
  leaseMs: z.int().min(1),
  /**
   * For Sherlocks: the key that they make session cookies with (balance `cookie:NAME`), 32 bytes as base64url, so that
   * each understands the cookies of the others. It is kept on disk, as the table is. Left out by an older directory.
   */
  sessionKey: z.string().regex(SESSION_KEY_PATTERN).optional(),
});

/**
 * A whole table, in one or more parts; it takes effect when the last part has come. `warming` says that the directory
 * has just started and that instances may still be missing: a subscriber that has a larger table keeps what this one
 * lacks until a `warm` message comes.
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
   * In the first part, where all parts together are only these sectors of the table: by the digests in the subscriber's
   * `hello`, its other sectors are right. Left out for a whole table.
   */
  sectors: z.object({ of: z.int().min(1).max(BUCKETS_MAX), these: z.array(z.int()).max(BUCKETS_MAX) }).optional(),
  /** The hash of the whole table that results from all parts; in the last one. */
  hash,
});

/**
 * The change from one revision to another. An empty delta says that the subscriber is up to date: `from` is then
 * `revision`, and where the `hello` of the subscriber had the hash of the present table, the epoch may be a new one.
 */
export const deltaSchema = z.object({
  type: z.literal("delta"),
  epoch: z.string(),
  from: z.int(),
  revision: z.int(),
  /** When the oldest change in it happened, by the directory's clock; for the metric of how long changes take. */
  atMs: momentSchema,
  change: tableChangeSchema,
  /** The hash of the table that results from the change. */
  hash,
});

/** The warm-up is over: the table is whole. */
export const warmSchema = z.object({ type: z.literal("warm") });

/** The answer to `register` and `update`; what it accepts is as durable as registrations are. */
export const registeredSchema = z.object({
  type: z.literal("registered"),
  seq: z.int(),
  /** The instances that were refused, and why; the others are registered. */
  refused: z.array(z.object({ instance: z.string(), code: z.enum(ERROR_CODES), message: z.string() })).default([]),
});

/** Which instances an operator has drained; a Watson remembers and shows this until the next such message. */
export const drainingSchema = z.object({
  type: z.literal("draining"),
  /** Keys `SERVICE@INSTANCE` of this Watson's instances that an operator has drained. */
  instances: z.array(z.string()),
});

/**
 * For routers: everybody who may send and receive, in one or more parts. It takes effect when the last part has come,
 * and replaces what was said before. `asks` is false where the directory asks nobody for a token.
 */
export const accessSchema = z.object({
  type: z.literal("access"),
  asks: z.boolean(),
  part: z.int().min(0),
  last: z.boolean(),
  tokens: z.array(routerTokenSchema).max(ACCESS_PART_TOKENS),
});

/** Log events with lower numbers than this are kept and need not be sent again. */
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
  /** True when the directory closes the link, and trying again without a change is of no use. */
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
  accessSchema,
  certificateSchema,
  loggedSchema,
  logSchema,
  errorMessageSchema,
]);
/** Any message of a directory, after parsing. */
export type ServerMessage = z.infer<typeof serverMessageSchema>;
