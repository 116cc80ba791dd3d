import { z } from "zod";
import { address, dryRun } from "./common.ts";

const share = z.union([z.string().max(20), z.number()]);
const duration = z.union([z.string().max(20), z.number()]);
const policy = z.enum(["wait", "pause", "pass", "fail"]);

const step = z.union([
  /** `10%:5m` */
  z.string().max(60),
  z.strictObject({
    share,
    for: duration,
    gate: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional(),
    pause: z.boolean().optional(),
  }),
]);

const check = z.union([
  /** `error-rate <= 1%` */
  z.string().max(200),
  z.strictObject({
    metric: z.string().max(100),
    prometheus: z.url({ protocol: /^https?$/ }).max(500),
    query: z.string().min(1).max(4_000),
    limit: z.string().max(40),
    failures: z.int().min(1).max(100).optional(),
  }),
]);

/** What a rollout is to do, in the form of its file, of which each part but the target may be left out. */
export const rolloutFile = z.strictObject({
  target: address,
  from: address.optional(),
  /** A list, or all of them in one line: `1%:5m,10%:10m`. */
  steps: z.union([z.string().max(2_000), z.array(step).min(1).max(50)]).optional(),
  checks: z.array(check).min(1).max(20).optional(),
  no_data: policy.optional(),
  undecided: policy.optional(),
  step_timeout: duration.optional(),
  minimum: z.int().min(1).max(1_000_000_000).optional(),
  confidence: share.optional(),
  sticky: z.string().max(120).optional(),
  finish: z.enum(["promote", "keep"]).optional(),
});
/** What a rollout is to do, as its file says it. */
export type RolloutFile = z.output<typeof rolloutFile>;

/** `POST /v1/rollouts`: the file as JSON. */
export const rolloutBody = rolloutFile.extend({ dryRun });
