import type { Hello, ReportedProblem } from "@datawire/protocol";
import type { StatusProblem } from "./service-problems.ts";

/** A client that is connected, as far as it tells what is wrong. */
interface Reporter {
  readonly kind: Hello["kind"];
  readonly name: string;
  readonly problems: readonly ReportedProblem[];
}

/** What a client says of itself. */
export function reportedProblems({ kind, name, problems }: Reporter): StatusProblem[] {
  return problems.map(({ subject, message, severity = "warning", remedy = remedyOf(kind, name) }) => {
    return { severity, subject: `${kind} ${name}: ${subject}`, message, remedy };
  });
}

/** What the directory says of itself: a warning, where it says no more. */
export function ownProblem({ subject, message, severity = "warning", remedy = null }: OwnProblem): StatusProblem {
  return { severity, subject, message, remedy };
}

type OwnProblem = Omit<ReportedProblem, "remedy"> & { readonly remedy?: string | null | undefined };

/** What a Watson reports is of its service files; what a Sherlock reports, of the services that its HAProxy refused. */
function remedyOf(kind: Hello["kind"], name: string): string {
  return kind === "watson"
    ? `correct the file on ${name}; until then its last good version, if it had one, stays in force`
    : `the log of the ${kind} on ${name} says more; all other services work`;
}
