import { z } from "zod";
import { address, type DeepReadonly, dryRun, outcome, percent, time } from "./common.ts";
import { explanation } from "./services.ts";
import { stamped } from "./table.ts";

const share = z.lazy(() => z.union([z.string().max(20), z.number()]));
const duration = z.lazy(() => z.union([z.string().max(20), z.number()]));
const policy = z.enum(["wait", "pause", "pass", "fail"]);

const WEB_URL = "a URL of http or https, such as https://ci.example.com/ok";

const step = z.lazy(() =>
  z.union([
    /** `10%:5m` */
    z.string().max(60),
    z.strictObject({
      share,
      for: duration,
      gate: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .meta({ wanted: WEB_URL })
        .optional(),
      pause: z.boolean().optional(),
    }),
  ]),
);

const check = z.lazy(() =>
  z.union([
    /** `error-rate <= 1%` */
    z.string().max(200),
    z.strictObject({
      metric: z.string().max(100),
      prometheus: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .meta({ wanted: WEB_URL }),
      query: z.string().min(1).max(4_000),
      limit: z.string().max(40),
      failures: z.int().min(1).max(100).optional(),
    }),
  ]),
);

/** What a rollout is to do, in the form of its file, of which each part but the target may be left out. */
export const rolloutFile = z.lazy(() =>
  z.strictObject({
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
  }),
);
/** What a rollout is to do, as its file says it. */
export type RolloutFile = z.output<typeof rolloutFile>;

/** `POST /v1/rollouts`: the file as JSON. */
export const rolloutBody = z.lazy(() => rolloutFile.unwrap().extend({ dryRun }));

const figure = (description: string) => z.number().nullable().meta({ description });

const listedCheck = z.lazy(() =>
  z.object({
    name: z.string(),
    state: z.enum(["pass", "fail", "undecided", "no-data"]),
    target: figure("What was found of the target: error rates in percent, latencies in milliseconds"),
    baseline: figure("What was found of the primary in the same time"),
    limit: figure("What the target may have at most; null while it goes by a primary of which nothing is known"),
    requests: z.int().meta({ description: "Of the target, of those that the check looks at" }),
    lower: figure("Bounds of what the target has, at any time with the confidence that the rollout has"),
    upper: figure("See lower"),
  }),
);

const listedRollout = z.lazy(() =>
  z.object({
    id: z.string(),
    service: z.string(),
    target: z.string(),
    from: z.string().nullable().meta({ description: "The caller whose requests it takes; null for any" }),
    state: z.enum(["running", "paused", "promoting", "promoted", "rolled-back", "aborted"]),
    step: z.int().meta({ description: "Index of the step that it is at, or has ended at" }),
    steps: z.array(
      z.object({
        share: percent,
        forMs: z.number(),
        state: z.enum(["waiting", "running", "passed", "failed"]),
        startedAt: time.nullable(),
        watchedMs: z.int().meta({ description: "For how long it was watched so far" }),
        requests: z.int().meta({ description: "Of the target, in this step alone" }),
        checks: z.array(listedCheck),
      }),
    ),
    reason: z.string().nullable().meta({ description: "Why it stands as it does" }),
    by: z.string(),
    startedAt: time,
    endedAt: time.nullable(),
  }),
);
/** A rollout, as `dw rollout show --json` shows it. */
export type RolloutListing = DeepReadonly<z.output<typeof listedRollout>>;

/** Rollouts, the newest first. */
export const rolloutsAnswer = z.lazy(() => z.object({ ...stamped, rollouts: z.array(listedRollout) }));

/** The rollout that was started or commanded, or would be. */
export const rolloutChangeAnswer = z.lazy(() =>
  rolloutsAnswer.unwrap().extend({
    distribution: explanation.nullable().meta({ description: "Where the requests of its callers go by then" }),
    ...outcome,
  }),
);

/** What a start comes to, with what its checks need. */
export const rolloutStartAnswer = z.lazy(() =>
  rolloutChangeAnswer.unwrap().extend({
    needs: z.array(
      z.object({
        name: z.string(),
        requests: figure("How many requests without a bad one it takes to pass; null where none are enough"),
        seconds: z.array(z.number().nullable()).meta({
          description: "How long that takes in each step at the rate of the last minute; null without requests",
        }),
      }),
    ),
  }),
);

/** `POST /v1/rollouts/{rollout}/pause`, `resume`, `abort` and `promote`. */
export const rolloutCommandBody = z.lazy(() =>
  z.strictObject({
    reason: z.string().max(500).optional(),
    /** Of `promote`: to the next step alone. */
    step: z.boolean().optional(),
    dryRun,
  }),
);
