import type { RolloutFile } from "@datawire/api";
import {
  formatServiceAddress,
  generationOf,
  parsePercent,
  parseServiceAddress,
  parseSticky,
  parseTimeLimit,
  ProtocolError,
  quoteShort,
  SLOTS,
} from "@datawire/protocol";
import type { Check, QueryCheck } from "../checks/check.ts";
import { DEFAULT_CHECK, parseCheck } from "../checks/parse-check.ts";
import type { Plan, PlannedStep } from "./plan.ts";

/** What is done where no steps are given. */
export const DEFAULT_STEPS = "1%:5m,10%:10m,50%:10m";

const MINIMUM = 20;
const FAILURES = 2;
const CONFIDENCE = 0.99;
const LIMIT = /^(<=|<|>=|>)\s*(-?\d+(?:\.\d+)?(?:e-?\d{1,2})?)$/i;

/**
 * Reads what a rollout is to do.
 * @param file as the shape of the file has it
 * @param directories names by which the directory in use may be put in front of an address
 * @throws ProtocolError `invalid_argument` that names the field, its value and what was wanted.
 */
export function readPlan(file: RolloutFile, directories: readonly string[] = []): Plan {
  const target = readTarget(file.target, directories);
  const { service, instance, version } = parseServiceAddress(target);
  const source = file.from === undefined ? null : readSource(file.from, directories);
  // As with routes: requests that are addressed to the service itself are those of any caller.
  const from = source === service ? null : source;
  const isPromotable = instance === null && generationOf(version) === version;
  const finish = file.finish ?? (from === null && isPromotable ? "promote" : "keep");
  if (finish === "promote" && !isPromotable) {
    const what = instance === null ? "only a part of its generation" : "one instance";
    throw invalid("finish", "promote", `${target} is ${what}; a whole generation is promoted, so wanted keep`);
  }
  return {
    target,
    from,
    steps: readSteps(file.steps ?? DEFAULT_STEPS),
    checks: readChecks(file.checks ?? [DEFAULT_CHECK]),
    noData: file.no_data ?? "wait",
    undecided: file.undecided ?? "pause",
    stepTimeoutMs:
      file.step_timeout === undefined ? null : within("step_timeout", () => parseTimeLimit(file.step_timeout ?? 0)),
    minimum: file.minimum ?? MINIMUM,
    confidence: file.confidence === undefined ? CONFIDENCE : readConfidence(file.confidence),
    sticky: file.sticky === undefined ? null : readSticky(file.sticky),
    finish,
  };
}

function readTarget(text: string, directories: readonly string[]): string {
  const address = within("target", () => parseServiceAddress(text, directories));
  if (address.version === null && address.instance === null) {
    throw invalid("target", text, `it names no version, such as //${address.service}(2)`);
  }
  return formatServiceAddress(address);
}

/** A caller's name; null for any of them. */
function readSource(text: string, directories: readonly string[]): string | null {
  if (text === "//*") return null;
  const { service, version, instance } = within("from", () => parseServiceAddress(text, directories));
  if (version !== null || instance !== null)
    throw invalid("from", text, "a caller has neither a version nor an instance");
  return service;
}

function readSteps(given: NonNullable<RolloutFile["steps"]>): PlannedStep[] {
  const steps = (typeof given === "string" ? given.split(",") : given).map(readStep);
  steps.forEach(({ share }, i) => {
    const before = steps[i - 1]?.share ?? 0;
    if (share <= before) {
      throw invalid(
        "steps",
        `${share / 100}%`,
        i === 0
          ? "a step has a share above 0%"
          : `it follows ${before / 100}%, and each step has more than the one before`,
      );
    }
  });
  return steps;
}

function readStep(given: string | Exclude<NonNullable<RolloutFile["steps"]>, string>[number]): PlannedStep {
  if (typeof given !== "string") {
    return {
      share: within("steps", () => parsePercent(given.share)),
      forMs: within("steps", () => parseTimeLimit(given.for)),
      gate: given.gate ?? null,
      pause: given.pause ?? false,
    };
  }
  const [share, time, ...more] = given.split(":");
  if (share === undefined || time === undefined || more.length > 0) {
    throw invalid("steps", given, "wanted SHARE:DURATION, such as 10%:5m");
  }
  return {
    share: within("steps", () => parsePercent(share)),
    forMs: within("steps", () => parseTimeLimit(time.trim())),
    gate: null,
    pause: false,
  };
}

function readChecks(given: NonNullable<RolloutFile["checks"]>): Check[] {
  const checks = given.map((check) =>
    typeof check === "string" ? within("checks", () => parseCheck(check)) : readQuery(check),
  );
  const names = new Set<string>();
  for (const { name } of checks) {
    if (names.has(name)) throw invalid("checks", name, "it is there twice");
    names.add(name);
  }
  return checks;
}

function readQuery(given: Exclude<NonNullable<RolloutFile["checks"]>[number], string>): QueryCheck {
  const { metric, prometheus, query, limit, failures = FAILURES } = given;
  const [, compare, value] = LIMIT.exec(limit.trim()) ?? [];
  if (compare === undefined) throw invalid("limit", limit, "wanted <=, <, >= or > and a number, such as <= 0.5");
  return {
    kind: "query",
    name: metric,
    prometheus,
    query,
    compare: compare as QueryCheck["compare"],
    value: Number(value),
    failures,
  };
}

/** Between what decides nothing and what takes for ever. */
function readConfidence(given: string | number): number {
  const share = within("confidence", () => parsePercent(given)) / SLOTS;
  if (share < 0.5 || share > 0.9999) throw invalid("confidence", String(given), "it is 50% to 99.99%");
  return share;
}

function readSticky(text: string): string {
  within("sticky", () => parseSticky(text));
  return text;
}

/** Says of which field it is that a value cannot be used. */
function within<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(error.code, `${field}: ${error.message}`);
  }
}

function invalid(field: string, value: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `${field}: Cannot use ${quoteShort(value)}: ${why}`);
}
