import { NAME_PATTERN, NAME_RULE, PROTOCOLS, ROLES, serviceSettingsSchema } from "@datawire/protocol";
import { z } from "zod";
import { PATTERNS_MAX } from "../access/core/token-record.ts";

/** What changes take as bodies, where the protocol package does not say it already. */

const dryRun = z.boolean().default(false);

const {
  defaultUrl,
  failover,
  balance,
  timeoutMs,
  connectTimeoutMs,
  queueTimeoutMs,
  retries,
  maxConnections,
  slowStartMs,
} = serviceSettingsSchema.shape;

/** Without the defaults, so that what is left out stays as it is; null stands for the default. */
const settings = {
  defaultUrl: defaultUrl.unwrap().optional(),
  failover: failover.unwrap().nullable().optional(),
  balance: balance.unwrap().optional(),
  timeoutMs: timeoutMs.unwrap().optional(),
  connectTimeoutMs: connectTimeoutMs.unwrap().optional(),
  queueTimeoutMs: queueTimeoutMs.unwrap().optional(),
  retries: retries.unwrap().optional(),
  maxConnections: maxConnections.unwrap().optional(),
  slowStartMs: slowStartMs.unwrap().optional(),
};

/** `POST /v1/services`. */
export const serviceAddSchema = z.object({
  service: z.string().max(400),
  /** A generation: the first part of versions. */
  primary: z.string().max(100).optional(),
  protocol: z.enum(PROTOCOLS).optional(),
  dryRun,
  ...settings,
});

/** `PUT /v1/services/NAME`. */
export const serviceSetSchema = z.object({ dryRun, ...settings });

/** `POST /v1/services/NAME/promote`. */
export const promoteSchema = z.object({
  /** The first part of versions; null or "" for instances without a version. */
  generation: z.string().max(100).nullable(),
  dryRun,
});

/** `POST /v1/instances/drain` and `resume`. */
export const instanceSchema = z.object({ instance: z.string().max(400), dryRun });

/** `POST /v1/routes/undo`. */
export const undoSchema = z.object({ dryRun });

/** `POST /v1/tokens`. */
export const tokenCreateSchema = z.object({
  role: z.enum(ROLES),
  /** Patterns of the services that may be registered with it; left out or null for all. */
  services: z.array(z.string().max(200)).min(1).max(PATTERNS_MAX).nullable().default(null),
  /** Whose table it is for; default: that of whoever asks. */
  tenant: z.string().regex(NAME_PATTERN, NAME_RULE).meta({ wanted: NAME_RULE }).nullable().default(null),
  /** A duration, after which it no longer holds; left out or null for one that holds until it is revoked. */
  expires: z
    .union([z.string().max(20), z.number()])
    .nullable()
    .default(null),
});
