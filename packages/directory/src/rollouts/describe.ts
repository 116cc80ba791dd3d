import { formatPercent } from "@datawire/protocol";
import type { Rollout, Verdict } from "@datawire/rollout";
import type { RolloutRecord } from "../model/rollout-records.ts";

/** How every entry of the history begins that is of a rollout. */
export const nameOf = ({ id, by }: Pick<RolloutRecord, "id" | "by">): string => `rollout ${id}, started by ${by}`;

/** What became of a rollout from one state to the next, in words for the history; none where only numbers have come. */
export function describeTurn(before: Rollout, after: Rollout): string[] {
  return [...newVerdicts(before, after), ...newState(before, after)];
}

/** Checks that say something else than before of the step that both are about. */
function newVerdicts(before: Rollout, after: Rollout): string[] {
  const { step } = before;
  const known = new Map(before.steps[step]?.verdicts.map(({ name, state }) => [name, state]));
  const said = after.steps[step]?.verdicts ?? [];
  return (
    said
      // One that fails is the reason of what follows.
      .filter(({ name, state }) => state === "pass" && known.get(name) !== state)
      .map((verdict) => `${describeVerdict(verdict)} at ${shareOf(after, step)}`)
  );
}

function newState(before: Rollout, after: Rollout): string[] {
  const { target } = after.plan;
  const reason = after.reason === null ? "" : `: ${after.reason}`;
  if (after.state !== before.state) {
    switch (after.state) {
      case "running":
        return [`goes on with ${target} at ${shareOf(after, after.step)}`];
      case "paused":
        return [`pauses with ${target} at ${shareOf(after, after.step)}${reason}`];
      case "promoting":
      case "promoted":
        return [
          after.plan.finish === "keep" ? `ends with ${target} at ${shareOf(after, after.step)}` : `promotes ${target}`,
        ];
      case "rolled-back":
        return [`takes ${target} back from ${shareOf(after, after.step)}${reason}`];
      case "aborted":
        return [`is aborted and takes ${target} back from ${shareOf(after, after.step)}${reason}`];
    }
  }
  if (after.step === before.step) return [];
  return [
    `step ${after.step + 1} of ${after.steps.length}: ${target} ${shareOf(before, before.step)} → ${shareOf(after, after.step)}`,
  ];
}

const shareOf = ({ plan }: Rollout, step: number): string => formatPercent(plan.steps[step]?.share ?? 0);

/** `error-rate <= 1% passes: 0.2% of 812 requests, between 0.05% and 0.9%`. */
function describeVerdict({ name, target, lower, upper, requests }: Verdict): string {
  const unit = name.startsWith("error-rate") ? "%" : /^p\d/.test(name) ? " ms" : "";
  const number = (value: number | null): string =>
    value === null ? "unknown" : `${Number(value.toPrecision(3))}${unit}`;
  if (unit === "") return `${name} passes: ${number(target)}`;
  return `${name} passes: ${number(target)} of ${requests} requests, between ${number(lower)} and ${number(upper)}`;
}
