import type { Answer } from "@datawire/api";

/** Something that is wrong, with what to do about it. */
export type Problem = Answer<"status">["problems"][number];

/** How many there are of something, and the screen that lists them. */
export interface Counts {
  readonly title: string;
  readonly count: number;
  readonly to: string;
}

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

/** What the overview counts. */
export function countsOf({ counts, watsons, sherlocks }: Answer<"status">): Counts[] {
  return [
    { title: "services", count: counts.services, to: "services" },
    { title: "instances", count: counts.instances, to: "services" },
    { title: "routes", count: counts.routes, to: "history" },
    { title: "Watsons", count: watsons.length, to: "agents" },
    { title: "Sherlocks", count: sherlocks.length, to: "agents" },
  ];
}
