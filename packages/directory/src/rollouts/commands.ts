import type { RolloutFile } from "@datawire/api";
import { generationOf, parseServiceAddress, ProtocolError, tableKey } from "@datawire/protocol";
import { abort, begin, isOver, pause, type PlannedStep, promote, readPlan, resume, type Turn } from "@datawire/rollout";
import type { Author } from "../changes/author.ts";
import { noSuchService } from "../changes/no-such-service.ts";
import type { Moment } from "../model/moment.ts";
import type { DurableRecord } from "../model/records.ts";
import type { RolloutRecord } from "../model/rollout-records.ts";
import type { State } from "../registry/state.ts";
import { carryOut } from "./act.ts";
import { nameOf } from "./describe.ts";
import { planNothing, planTurn, type RolloutPlan } from "./turn.ts";

/** Who gives a command, when, and which directory judges from then on. */
export interface CommandContext {
  readonly author: Author;
  readonly moment: Moment;
  readonly judge: string;
}

/**
 * `dw rollout start`: sets the share of the first step.
 * @throws ProtocolError `conflict` where the service has a rollout, the target is the primary, or others leave no room.
 */
export function planStart(
  state: State,
  file: RolloutFile,
  directories: readonly string[],
  { author, moment, judge }: CommandContext,
): RolloutPlan {
  const plan = readPlan(file, directories);
  const { service } = parseServiceAddress(plan.target);
  const view = state.table.service(service);
  if (view === null) throw noSuchService(state.table, "roll out", service);
  const refuse = (why: string): ProtocolError =>
    new ProtocolError("conflict", `Cannot roll out ${plan.target}: ${why}`);
  const other = state.rollouts.activeOf(service);
  if (other !== null) throw refuse(`${nameOf(other)}, of ${other.rollout.plan.target} is ${other.rollout.state}`);
  if (isPrimary(state, plan.target)) throw refuse("it is the primary already");
  const caller = plan.from ?? "*";
  const before = state.table.routeTable(tableKey({ caller, service }));
  const turn = begin(plan, moment.wallMs);
  const record: RolloutRecord = {
    id: state.rollouts.nextId,
    service,
    caller,
    rollout: turn.rollout,
    before,
    ours: before,
    shared: false,
    by: author.who,
    startedAtMs: moment.wallMs,
    endedAtMs: null,
    judge,
  };
  // Said now, and not when half of the steps are done.
  carryOut(state, record, { kind: "share", share: (plan.steps.at(-1) as PlannedStep).share }, moment);
  const acted = carryOut(state, record, { kind: "share", share: (plan.steps[0] as PlannedStep).share }, moment);
  const first = `${(plan.steps[0] as PlannedStep).share / 100}%`;
  const forgotten = state.rollouts.excess().map((id): DurableRecord => ({ kind: "rollout", id, value: null }));
  return {
    action: `${nameOf(record)}: step 1 of ${plan.steps.length}: ${plan.target} 0% → ${first} of ${caller === "*" ? "any caller" : caller}`,
    change: acted.change,
    notes: acted.notes,
    rollout: [{ kind: "rollout", id: record.id, value: acted.record }, ...forgotten],
    record: acted.record,
  };
}

/** Whether what has no route goes to a target as it is. */
function isPrimary({ table }: State, target: string): boolean {
  const { service, version, instance } = parseServiceAddress(target);
  const primary = table.service(service)?.service.primary ?? null;
  return instance === null && version !== null && version === primary && generationOf(version) === version;
}

/** What a hand may do with a rollout that goes on. */
export type RolloutVerb = "pause" | "resume" | "abort" | "promote";

/** What else a hand says. */
export interface RolloutWords {
  readonly reason?: string | undefined;
  /** Of `promote`: to the next step alone. */
  readonly step?: boolean | undefined;
}

/**
 * `dw rollout pause`, `resume`, `abort` and `promote`.
 * @throws ProtocolError `not_found`; `conflict` where it is over.
 */
export function planCommand(
  state: State,
  id: string,
  { verb, words }: { readonly verb: RolloutVerb; readonly words: RolloutWords },
  { author, moment, judge }: CommandContext,
): RolloutPlan {
  const record = findRollout(state, id);
  const { state: is } = record.rollout;
  if (isOver(is)) throw new ProtocolError("conflict", `Cannot ${verb} rollout ${record.id}: it is ${is} already`);
  if ((verb === "pause" && is === "paused") || (verb === "resume" && is === "running"))
    return { ...planNothing(record), notes: [`rollout ${record.id} is ${is} already`] };
  const { target } = record.rollout.plan;
  // The share of a step would be all that it has: the rest would go to what stands in for the primary.
  if ((verb === "resume" || (verb === "promote" && words.step === true)) && isPrimary(state, target))
    throw new ProtocolError(
      "conflict",
      `Cannot ${verb} rollout ${record.id}: ${target} is the primary already; \`dw rollout promote ${record.id}\` ends it with that, \`dw rollout abort ${record.id}\` with the routes from before`,
    );
  const said = words.reason === undefined || words.reason === "" ? "" : `: ${words.reason}`;
  const plan = planTurn(state, record, {
    turn: turnFor(record, verb, words, { who: author.who, said, moment }),
    judge,
    moment,
  });
  return { ...plan, action: `${plan.action}${verb === "resume" || verb === "promote" ? said : ""}` };
}

function turnFor(
  { rollout }: RolloutRecord,
  verb: RolloutVerb,
  { step = false }: RolloutWords,
  { who, said, moment }: { readonly who: string; readonly said: string; readonly moment: Moment },
): Turn {
  switch (verb) {
    case "pause":
      return pause(rollout, `paused by ${who}${said}`);
    case "resume":
      return resume(rollout, moment.wallMs);
    case "abort":
      return abort(rollout, `aborted by ${who}${said}`);
    case "promote":
      return promote(rollout, { oneStep: step, nowMs: moment.wallMs });
  }
}

/**
 * The rollout of an id, or of `//SERVICE`: the one that goes on, else the last one.
 * @throws ProtocolError `not_found`
 */
export function findRollout({ rollouts, directories }: State, text: string): RolloutRecord {
  if (!text.startsWith("//")) {
    const found = rollouts.get(text);
    if (found !== null) return found;
    throw new ProtocolError(
      "not_found",
      `Cannot find rollout ${JSON.stringify(text.slice(0, 100))}: there is none of that id`,
    );
  }
  const { service } = parseServiceAddress(text, directories);
  const found = rollouts.activeOf(service) ?? rollouts.list().find((record) => record.service === service);
  if (found !== undefined) return found;
  throw new ProtocolError("not_found", `Cannot find a rollout of //${service}: there was none yet`);
}
