import type { RolloutFile } from "@datawire/api";
import { formatCount, formatMs } from "../../core/format.ts";
import { readList } from "../../core/list.ts";

/** What becomes of a step that cannot be judged in time. */
export const POLICIES = ["wait", "pause", "pass", "fail"] as const;
type Policy = (typeof POLICIES)[number];

/** A rollout as it is typed; empty texts leave it to the directory. */
export interface RolloutDraft {
  readonly target: string;
  /** `//CALLER`; empty for all of them. */
  readonly from: string;
  readonly steps: string;
  readonly checks: string;
  readonly noData: string;
  readonly undecided: string;
  readonly minimum: string;
  readonly stepTimeout: string;
  readonly confidence: string;
  readonly sticky: string;
  readonly finish: string;
}

/** What `dw rollout start` does without options, as far as it is shown. */
export const STANDARD_DRAFT: RolloutDraft = {
  target: "",
  from: "",
  steps: "1%:5m,10%:10m,50%:10m",
  checks: "error-rate <= primary + 1%",
  noData: "wait",
  undecided: "pause",
  minimum: "",
  stepTimeout: "",
  confidence: "",
  sticky: "",
  finish: "",
};

/** The file that a draft comes to. What is no number as `minimum` is refused by the directory, as all else is. */
export function rolloutBody(draft: RolloutDraft): RolloutFile {
  const { target, from, steps, checks, noData, undecided, minimum, stepTimeout, confidence, sticky, finish } =
    trimmed(draft);
  const list = readList(checks, ",");
  return {
    target,
    ...(from === "" ? {} : { from }),
    ...(steps === "" ? {} : { steps }),
    ...(list.length === 0 ? {} : { checks: list }),
    no_data: noData as Policy,
    undecided: undecided as Policy,
    ...(minimum === "" ? {} : { minimum: Number(minimum) }),
    ...(stepTimeout === "" ? {} : { step_timeout: stepTimeout }),
    ...(confidence === "" ? {} : { confidence }),
    ...(sticky === "" ? {} : { sticky }),
    ...(finish === "" ? {} : { finish: finish as "promote" | "keep" }),
  };
}

/** The arguments of `dw rollout start` for the same; what is the default is left out. */
export function rolloutArguments(draft: RolloutDraft): string[] {
  const { target, from, steps, checks, noData, undecided, minimum, stepTimeout, confidence, sticky, finish } =
    trimmed(draft);
  const given = (name: string, value: string, standard = ""): string[] => (value === standard ? [] : [name, value]);
  const list = readList(checks, ",");
  return [
    target,
    ...given("--from", from),
    ...given("--steps", steps),
    ...(list.length === 0 ? [] : ["--check", ...list]),
    ...given("--no-data", noData, STANDARD_DRAFT.noData),
    ...given("--undecided", undecided, STANDARD_DRAFT.undecided),
    ...given("--minimum", minimum),
    ...given("--step-timeout", stepTimeout),
    ...given("--confidence", confidence),
    ...given("--sticky", sticky),
    ...given("--finish", finish),
  ];
}

interface Need {
  readonly name: string;
  readonly requests: number | null;
  /** In each step; null without requests. */
  readonly seconds: readonly (number | null)[];
}

/** How many requests a check needs, and how long that takes. */
export function needText({ name, requests, seconds }: Need): string {
  const [first] = seconds;
  if (requests === null) return `${name} cannot pass while the primary has no errors to compare with.`;
  const needed = `${name} needs ${formatCount(requests)} requests without a bad one`;
  if (first === null || first === undefined) return `${needed}; how long that takes is not known without requests.`;
  return `${needed}, which takes ${formatMs(first * 1000)} in the first step at the rate of now.`;
}

function trimmed(draft: RolloutDraft): RolloutDraft {
  return Object.fromEntries(
    Object.entries(draft).map(([name, value]) => [name, String(value).trim()]),
  ) as unknown as RolloutDraft;
}
