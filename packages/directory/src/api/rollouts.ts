import { endpoints } from "@datawire/api";
import { explain } from "@datawire/routing";
import type { Author } from "../changes/author.ts";
import type { Done } from "../changes/change-executor.ts";
import { effective, isIdle } from "../model/change-set.ts";
import { preview } from "../changes/preview.ts";
import { type Moment, momentOf } from "../model/moment.ts";
import {
  type CommandContext,
  findRollout,
  planCommand,
  planStart,
  type RolloutVerb,
  type RolloutWords,
} from "../rollouts/commands.ts";
import { listRollout } from "../rollouts/listing.ts";
import { needsOf, rateOf, withoutPercentiles } from "../rollouts/needs.ts";
import type { RolloutPlan } from "../rollouts/turn.ts";
import type { Position } from "../feed/delta-log.ts";
import { requireUnchanged } from "./changes.ts";
import { type ApiContext, stamp } from "./context.ts";
import { callerContextOf } from "./reads.ts";
import { bind, type BoundEndpoint } from "./router.ts";

type RolloutContext = Pick<
  ApiContext,
  "state" | "executor" | "links" | "publisher" | "counters" | "clock" | "judge" | "originals"
>;

/** What is looked at for today's rate. */
const RATE_MS = 60_000;

/** The endpoints of rollouts. */
export function rolloutEndpoints(context: RolloutContext): BoundEndpoint[] {
  const { state } = context;
  const command =
    (verb: RolloutVerb) =>
    async ({
      params,
      body: { dryRun, ...words },
      author,
      seen,
    }: {
      readonly params: { readonly rollout: string };
      readonly body: RolloutWords & { readonly dryRun: boolean };
      readonly author: Author;
      readonly seen: Position | null;
    }) => {
      const plan = (by: CommandContext) => planCommand(state, params.rollout, { verb, words }, by);
      return answerOf(context, await perform(context, plan, { author, dryRun, seen }));
    };
  return [
    bind(endpoints.listRollouts, () => ({ ...stamp(context), rollouts: state.rollouts.list().map(listRollout) })),
    bind(endpoints.showRollout, ({ params }) => ({
      ...stamp(context),
      rollouts: [listRollout(findRollout(state, params.rollout))],
    })),
    bind(endpoints.startRollout, async ({ body, author, seen }) => {
      const { dryRun, ...file } = body;
      const { directories } = state.routeWorld(momentOf(context.clock));
      const planned = (by: CommandContext) => planStart(state, file, directories, by);
      const done = await perform(context, planned, { author, dryRun, seen });
      const { record } = done.plan;
      const { lines, fromMs, untilMs } = context.counters.last(RATE_MS, context.clock.nowMs());
      const { plan } = record.rollout;
      const answer = answerOf(context, done);
      return {
        ...answer,
        notes: [...answer.notes, ...withoutPercentiles(plan, lines)],
        needs: needsOf(plan, rateOf(record, lines, untilMs - fromMs)),
      };
    }),
    bind(endpoints.pauseRollout, command("pause")),
    bind(endpoints.resumeRollout, command("resume")),
    bind(endpoints.abortRollout, command("abort")),
    bind(endpoints.promoteRollout, command("promote")),
  ];
}

async function perform(
  context: RolloutContext,
  plan: (by: CommandContext) => RolloutPlan,
  { author, dryRun, seen }: { readonly author: Author; readonly dryRun: boolean; readonly seen: Position | null },
): Promise<Done<RolloutPlan>> {
  const { executor, clock, judge } = context;
  const at = (moment: Moment): RolloutPlan => {
    const made = plan({ author, moment, judge: judge.id });
    // What a rollout does rests on the routes of its service, also where it changes none of them now.
    if (seen !== null) requireUnchanged(context, new Set([made.record.service]), seen);
    return made;
  };
  // An undo of one of its steps would take the routes from a rollout that goes on.
  if (!dryRun) return executor.change(at, { author, undoable: false });
  return { plan: at(momentOf(clock)), changed: false };
}

function answerOf(context: RolloutContext, { plan, changed }: Done<RolloutPlan>) {
  const { state } = context;
  const { service, caller } = plan.record;
  const at = stamp(context);
  const read = () => explain(state.table, service, callerContextOf(context, caller));
  const change = effective(plan.change);
  const distribution = changed || isIdle(change) ? read() : preview(state, change, read);
  return { ...at, rollouts: [listRollout(plan.record)], distribution, notes: plan.notes, changed };
}
