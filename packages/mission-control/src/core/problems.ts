import type { Answer } from "@datawire/api";

/** Something that is wrong, with what to do about it. */
export type Problem = Answer<"status">["problems"][number];

/** Errors before warnings, each in the order they came in. */
export function errorsFirst(problems: readonly Problem[]): Problem[] {
  const isError = ({ severity }: Problem): boolean => severity === "error";
  return [...problems.filter(isError), ...problems.filter((problem) => !isError(problem))];
}

/** The screen that shows the subject of a problem; null where none does. */
export function linkOf(subject: string): readonly string[] | null {
  const service = /^(?:service )?\/\/([^/@(\s:]+)/.exec(subject)?.[1];
  if (service !== undefined) return ["services", service];
  if (/^(watson|sherlock|directory|replica)\b/i.test(subject)) return ["agents"];
  if (/^guard\b/i.test(subject)) return ["guard"];
  if (/^(trace|telemetry)/i.test(subject)) return ["logs"];
  return null;
}

/** The problems of traces and logs alone: of keeping, forwarding and damaged files. */
export function ofTraces(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ subject }) => subject === "traces");
}
