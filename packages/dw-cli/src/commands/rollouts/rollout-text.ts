import type { RolloutListing } from "@datawire/api";
import { formatSpan } from "../../core/span.ts";
import { type Cell, cell, type Style, type TextTable } from "../../core/text-table.ts";

type Step = RolloutListing["steps"][number];
type Check = Step["checks"][number];

const STATE_STYLES: Readonly<Record<RolloutListing["state"], Style>> = {
  running: "plain",
  paused: "warning",
  promoting: "good",
  promoted: "good",
  "rolled-back": "bad",
  aborted: "warning",
};

const CHECK_STYLES: Readonly<Record<Check["state"], Style>> = {
  pass: "good",
  fail: "bad",
  undecided: "plain",
  "no-data": "warning",
};

/** The state of a rollout, painted. */
export const rolloutState = ({ state }: RolloutListing): Cell => cell(state, STATE_STYLES[state]);

/** The share that its target has by now, or had last; all of it once it is the primary. */
export function rolloutShare({ state, step, steps }: RolloutListing): string {
  if (state === "rolled-back" || state === "aborted") return "0%";
  return `${steps[step]?.share ?? 0}%`;
}

/** The steps of a rollout, a line for each check: the first line of a step also has its share, state and times. */
export function stepTable({ steps }: RolloutListing): TextTable {
  return {
    columns: [
      { title: "STEP" },
      { title: "SHARE", align: "right" },
      { title: "STATE" },
      { title: "WATCHED", shrink: 1 },
      { title: "REQUESTS", align: "right" },
      { title: "CHECK", shrink: 3 },
      { title: "SAYS" },
      { title: "TARGET", align: "right" },
      { title: "PRIMARY", align: "right", shrink: 0 },
      { title: "LIMIT", align: "right" },
      { title: "BETWEEN", shrink: 2 },
    ],
    rows: steps.flatMap((step, i) => {
      const own = [
        String(i + 1),
        `${step.share}%`,
        step.state,
        `${formatSpan(step.watchedMs)} of ${formatSpan(step.forMs)}`,
        String(step.requests),
      ];
      const checks = step.checks.map(checkCells);
      if (checks.length === 0) return [[...own, ...NO_CHECK]];
      return checks.map((cells, j) => [...(j === 0 ? own : own.map(() => "")), ...cells]);
    }),
  };
}

const NO_CHECK = ["", "", "", "", "", ""];

function checkCells(check: Check): (Cell | string)[] {
  const { name, state, target, baseline, limit } = check;
  const unit = unitOf(check);
  return [
    name,
    cell(state, CHECK_STYLES[state]),
    figure(target, unit),
    figure(baseline, unit),
    figure(limit, unit),
    between(check),
  ];
}

/** One line that says how it stands: `10%, running for 25s of 1m, 412 requests; error-rate <= 1%: undecided, 0.2%`. */
export function rolloutLine(rollout: RolloutListing): string {
  const { state, step, steps, reason, target } = rollout;
  if (state !== "running") return `${target} ${state}${reason === null ? "" : `: ${reason}`}`;
  const at = steps[step];
  if (at === undefined) return `${target} ${state}`;
  const checks = at.checks.map(
    (check) =>
      `${check.name}: ${check.state}${check.target === null ? "" : `, ${figure(check.target, unitOf(check))}`}`,
  );
  const watched = `watched for ${formatSpan(at.watchedMs)} of ${formatSpan(at.forMs)}`;
  const why = reason === null ? [] : [reason];
  return [`${target} ${at.share}%, ${watched}, ${at.requests} requests`, ...checks, ...why].join("; ");
}

const unitOf = ({ name }: Check): string => (name.startsWith("error-rate") ? "%" : /^p\d/.test(name) ? " ms" : "");

/** Three digits tell what there is to see. */
const figure = (value: number | null, unit: string): string =>
  value === null ? "-" : `${Number(value.toPrecision(3))}${unit}`;

function between(check: Check): string {
  const { lower, upper } = check;
  if (lower === null) return "-";
  const unit = unitOf(check);
  return upper === null ? `from ${figure(lower, unit)}` : `${figure(lower, unit)} to ${figure(upper, unit)}`;
}
