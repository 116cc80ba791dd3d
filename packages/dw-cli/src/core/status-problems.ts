import type { Answer } from "@datawire/api";
import { count } from "./span.ts";

/** A problem, with its source and its remedy. */
export interface StatusProblem {
  readonly severity: "error" | "warning";
  readonly subject: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** The problems of a directory and those that its clients reported, errors first. */
export function statusProblems({ directory, watsons, sherlocks, problems }: Answer<"status">): StatusProblem[] {
  const all: StatusProblem[] = [...problems];
  const add = (problem: StatusProblem): void => {
    // The directory may have told of the same already, and knows better.
    if (!all.some(({ subject, message }) => subject === problem.subject && message === problem.message)) {
      all.push(problem);
    }
  };
  for (const { name, problems: reported } of watsons) {
    for (const { subject, message, severity = "warning", remedy = null } of reported) {
      add({ severity, subject: `watson ${name}: ${subject}`, message, remedy });
    }
  }
  for (const { name, lag, problems: reported } of sherlocks) {
    if (lag !== null && lag > 0) {
      add({
        severity: "warning",
        subject: `sherlock ${name}`,
        message: `behind by ${count(lag, "revision")}`,
        remedy: "if it does not catch up in a few seconds, its log says why",
      });
    }
    for (const { subject, message, severity = "warning", remedy = null } of reported) {
      add({ severity, subject: `sherlock ${name}: ${subject}`, message, remedy });
    }
  }
  if (directory.guard !== null && !all.some(({ subject }) => subject === "guard")) {
    add({
      severity: "error",
      subject: "guard",
      message: `${count(directory.guard.held, "instance")} out of sight are kept: ${directory.guard.reason}`,
      remedy: "find out why so many were lost at once; `dw guard release` lets them go",
    });
  }
  return all.sort((a, b) => rank(a) - rank(b));
}

function rank({ severity }: StatusProblem): number {
  return severity === "error" ? 0 : 1;
}
