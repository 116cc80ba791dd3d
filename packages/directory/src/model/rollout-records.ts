import { momentSchema, routeTableSchema } from "@datawire/protocol";
import { POLICIES, type Plan, type Rollout, ROLLOUT_STATES } from "@datawire/rollout";
import { z } from "zod";

/** Numbers of a histogram: more than twice as many as its buckets are. */
const LATENCIES_MAX = 1_000;
const STEPS_MAX = 50;
const CHECKS_MAX = 20;

const whole = z.int().min(0);
/** Of a sequence that is made for a share of nothing no bound is ever found. */
const share = z.number().gt(0).lt(1);
/** Thirty years, which are shorter than what a number can be. */
const duration = z.number().min(0).max(1e12);
const number = z.number().nullable();

const limit = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("fixed"), value: z.number().gt(0).max(1e12) }),
  z.object({ kind: z.literal("primary"), factor: z.number().min(1).max(1e6), margin: duration }),
]);

const check = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("error-rate"), name: z.string(), limit }),
  z.object({ kind: z.literal("latency"), name: z.string(), share, limit }),
  z.object({
    kind: z.literal("query"),
    name: z.string(),
    prometheus: z.string(),
    query: z.string(),
    compare: z.enum(["<=", "<", ">=", ">"]),
    value: z.number(),
    failures: z.int().min(1),
  }),
]);

const planSchema: z.ZodType<Plan> = z.object({
  target: z.string(),
  from: z.string().nullable(),
  steps: z
    .array(
      z.object({
        share: z.int().min(1).max(10_000),
        forMs: duration,
        gate: z.string().nullable(),
        pause: z.boolean(),
      }),
    )
    .min(1)
    .max(STEPS_MAX),
  checks: z.array(check).min(1).max(CHECKS_MAX),
  noData: z.enum(POLICIES),
  undecided: z.enum(POLICIES),
  stepTimeoutMs: duration.nullable(),
  minimum: z.int().min(1),
  // What a confidence sequence can be made for.
  confidence: z.number().min(0.5).max(0.9999),
  sticky: z.string().nullable(),
  finish: z.enum(["promote", "keep"]),
});

const evidence = z.object({ requests: whole, errors: whole, latencies: z.array(whole).max(LATENCIES_MAX) });

const verdict = z.object({
  name: z.string(),
  state: z.enum(["pass", "fail", "undecided", "no-data"]),
  target: number,
  baseline: number,
  limit: number,
  requests: whole,
  lower: number,
  upper: number,
});

const rolloutSchema: z.ZodType<Rollout> = z
  .object({
    plan: planSchema,
    state: z.enum(ROLLOUT_STATES),
    step: whole,
    steps: z.array(
      z.object({
        state: z.enum(["waiting", "running", "passed", "failed"]),
        startedAtMs: momentSchema.nullable(),
        watchedMs: duration,
        target: evidence,
        primary: evidence,
        verdicts: z.array(verdict).max(CHECKS_MAX),
        beyond: z.array(whole).max(CHECKS_MAX),
        deadMs: duration,
        agreed: z.boolean(),
      }),
    ),
    reason: z.string().nullable(),
  })
  .refine(({ plan, step, steps }) => steps.length === plan.steps.length && step < steps.length, "its steps do not fit");

/** A rollout, with what is needed to take it back and to say who did it. */
export const rolloutRecordSchema = z.object({
  /** A number, given once in the life of a store as long as ended ones are remembered. */
  id: z.string().regex(/^[1-9]\d{0,14}$/),
  service: z.string(),
  /** Whose requests it takes: a name, or `*`. */
  caller: z.string(),
  rollout: rolloutSchema,
  /** The routes from before, and those that the rollout has set last; null for none. */
  before: routeTableSchema.nullable(),
  ours: routeTableSchema.nullable(),
  /** Whether others changed these routes meanwhile, so that only the target's own is the rollout's from then on. */
  shared: z.boolean(),
  by: z.string(),
  startedAtMs: momentSchema,
  endedAtMs: momentSchema.nullable(),
  /** The directory that judges it. */
  judge: z.string(),
});
/** A rollout as it is recorded. */
export type RolloutRecord = z.infer<typeof rolloutRecordSchema>;

/** What one directory's Sherlocks counted of the current step of a rollout. */
export const tallySchema = z.object({
  rollout: z.string(),
  /** The directory; the same after a restart only where no other uses the store. */
  replica: z.string(),
  /** The step, and the time at which it began: what was counted of another is not this one's. */
  turn: z.string(),
  target: evidence,
  primary: evidence,
  /** How many callers were connected that count. */
  watchers: whole,
});
/** What was counted of a step, as it is recorded. */
export type TallyRecord = z.infer<typeof tallySchema>;

/** The id of a tally. */
export const tallyId = ({ rollout, replica }: Pick<TallyRecord, "rollout" | "replica">): string =>
  `${rollout}.${replica}`;

/** Names the current step of a rollout, each time that it begins. */
export function turnOf({ rollout: { step, steps } }: Pick<RolloutRecord, "rollout">): string {
  return `${step}@${steps[step]?.startedAtMs ?? 0}`;
}
