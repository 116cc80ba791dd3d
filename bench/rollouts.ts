import "./harness/no-remains.ts";
import { fractionsBy, happening } from "@datawire/protocol/testing/chance";
import { addEvidence, DEFAULT_CHECK, judge, NO_EVIDENCE, parseCheck } from "@datawire/rollout";
import { median } from "./stats.ts";

/**
 * How many requests of a new version it takes until a rule fails it, and how often the rule fails one that is exactly at
 * its limit: ours beside two that others use, on the same simulated requests.
 *   node bench/rollouts.ts [ROLLOUTS]
 *
 * - **confidence sequence**: `error-rate <= 1%` at 99%, as `dw rollout` judges.
 * - **Mann–Whitney**: what Kayenta does with its default confidence of 98%: of each look the error rates of both sides are
 *   one sample; a step fails once the target's are higher by the rank-sum test, which is asked at each look with all
 *   samples so far, from the fifth on.
 * - **threshold**: what an AnalysisTemplate of Argo Rollouts does with `successCondition: result <= 0.01` and
 *   `failureLimit: 3`: the rate since the last look is compared, and the fourth that is over it fails the step.
 *
 * The primary has an error rate of 1%, which is the limit; nine requests go to it for each of the target's.
 */
const rollouts = Number(process.argv[2] ?? 1_000);
const LIMIT = 0.01;
const LOOKS = 360;
const REQUESTS = 100;
const PRIMARY_FACTOR = 9;
const SEED = 1;
const IN_TIME_MS = 30_000;

interface Look {
  readonly target: number;
  readonly primary: number;
}

/** Tells at which look a rule fails a version; null where it never does. */
type Rule = (looks: readonly Look[]) => number | null;

const CHECK = parseCheck("error-rate <= 1%");

const confidenceSequence: Rule = (looks) => {
  let errors = 0;
  for (const [i, { target }] of looks.entries()) {
    errors += target;
    const evidence = { ...NO_EVIDENCE, requests: (i + 1) * REQUESTS, errors };
    const config = { confidence: 0.99, minimum: 20 };
    const { state } = judge(CHECK, { target: evidence, primary: NO_EVIDENCE }, config);
    if (state === "fail") return i + 1;
    if (state === "pass") return null;
  }
  return null;
};

const SAMPLES_MIN = 5;
/** One-sided, of a confidence of 98%. */
const DEVIATIONS = 2.054;

const mannWhitney: Rule = (looks) => {
  const [targets, primaries]: [number[], number[]] = [[], []];
  for (const [i, { target, primary }] of looks.entries()) {
    targets.push(target / REQUESTS);
    primaries.push(primary / (REQUESTS * PRIMARY_FACTOR));
    if (i + 1 >= SAMPLES_MIN && deviations(targets, primaries) > DEVIATIONS) return i + 1;
  }
  return null;
};

/** By how many standard deviations the ranks of `a` are above what chance gives them, with ties. */
function deviations(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, own: true })), ...b.map((value) => ({ value, own: false }))];
  all.sort((x, y) => x.value - y.value);
  const n = all.length;
  let [sum, ties] = [0, 0];
  for (let from = 0; from < n;) {
    let to = from;
    while (to < n && all[to]?.value === all[from]?.value) to += 1;
    const rank = (from + to + 1) / 2;
    for (let i = from; i < to; i++) if (all[i]?.own === true) sum += rank;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  const mean = (a.length * (n + 1)) / 2;
  const variance = ((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  return variance === 0 ? 0 : (sum - mean) / Math.sqrt(variance);
}

const FAILURES_MAX = 3;

const threshold: Rule = (looks) => {
  let failures = 0;
  for (const [i, { target }] of looks.entries()) {
    if (target / REQUESTS > LIMIT) failures += 1;
    if (failures > FAILURES_MAX) return i + 1;
  }
  return null;
};

const RULES: readonly (readonly [name: string, rule: Rule])[] = [
  ["confidence sequence", confidenceSequence],
  ["Mann–Whitney", mannWhitney],
  ["threshold", threshold],
];

process.stdout.write(
  `${rollouts} rollouts each, of ${LOOKS} looks with ${REQUESTS} requests; limit ${LIMIT * 100}%, seed ${SEED}\n` +
    "requests until it fails (median), and how many of the rollouts it fails\n",
);
for (const factor of [1, 2, 5, 20]) {
  const random = fractionsBy(SEED);
  const simulated = Array.from({ length: rollouts }, () => simulate(LIMIT * factor, random));
  for (const [name, rule] of RULES) {
    const ends = simulated.flatMap((looks) => rule(looks) ?? []);
    const requests = ends.length === 0 ? "-" : String(median(ends) * REQUESTS);
    const share = `${((100 * ends.length) / rollouts).toFixed(1)}%`;
    process.stdout.write(
      `${`${factor}×`.padEnd(4)} ${name.padEnd(20)} ${requests.padStart(7)}  ${share.padStart(6)}\n`,
    );
  }
}

process.stdout.write(
  "\na version that fails 5% of 20 requests a second: taken back within 30 s of the step's beginning (median)\n",
);
for (const [name, firstMs, everyMs] of [
  ["a report when the step is followed, then each second", 1_000, 1_000],
  ["the same, one second late", 2_000, 1_000],
  ["each 5 s, the first after 10 s", 10_000, 5_000],
] as const) {
  const { share, medianMs } = inTime(firstMs, everyMs);
  process.stdout.write(`${name.padEnd(54)} ${(100 * share).toFixed(1).padStart(5)}%  ${medianMs / 1_000} s\n`);
}

function simulate(errorRate: number, random: () => number): Look[] {
  return Array.from({ length: LOOKS }, () => ({
    target: happening(REQUESTS, errorRate, random),
    primary: happening(REQUESTS * PRIMARY_FACTOR, LIMIT, random),
  }));
}

/**
 * Of rollouts whose version fails 5% at 20 requests a second, beside a primary of 180 a second without errors, how many
 * are taken back by the default check within 30 s of the step's beginning, by the reports of one Sherlock.
 */
function inTime(firstMs: number, everyMs: number): { readonly share: number; readonly medianMs: number } {
  const check = parseCheck(DEFAULT_CHECK);
  const random = fractionsBy(SEED);
  const ends: number[] = [];
  for (let i = 0; i < rollouts; i++) {
    let [target, primary] = [NO_EVIDENCE, NO_EVIDENCE];
    for (let atMs = firstMs; atMs <= IN_TIME_MS; atMs += everyMs) {
      const requests = (20 * everyMs) / 1_000;
      target = addEvidence(target, { ...NO_EVIDENCE, requests, errors: happening(requests, 0.05, random) });
      primary = addEvidence(primary, { ...NO_EVIDENCE, requests: 9 * requests });
      if (judge(check, { target, primary }, { confidence: 0.99, minimum: 20 }).state !== "fail") continue;
      ends.push(atMs);
      break;
    }
  }
  return { share: ends.length / rollouts, medianMs: median(ends) };
}
