import type { ReportedProblem } from "@datawire/protocol";
import type { Finding, FindingKind } from "./findings.ts";

const WHAT: Readonly<Record<FindingKind, string>> = {
  unreachable: "HAProxy cannot use it",
  refused: "HAProxy refuses its answers",
  unanswered: "HAProxy gets no answers from it",
};

/**
 * How a finding is shown to operators: for each instance that the server stands for, or for the service's default URL.
 */
export function problemsOfFinding(finding: Finding): ReportedProblem[] {
  const { backend, observed, kind, reason, count, sinceMs } = finding;
  const service = backend.slice(0, backend.indexOf(":"));
  const told = roundDown(count);
  const message = `live, but ${WHAT[kind]}: ${reason}${told > 1 && kind === "refused" ? ` (${told} requests or more)` : ""}`;
  const problem = { message, remedy: remedyOf(finding), finding: { kind, count: told, sinceMs } };
  if (observed.instances.length === 0)
    return [{ ...problem, subject: `//${service}`, message: `its default URL: ${message.replace("live, but ", "")}` }];
  return observed.instances.map(({ name }) => ({ ...problem, subject: `//${service}@${name}` }));
}

/** Rounds to a power of two, so that a growing count is reported now and then and not at every look. */
function roundDown(count: number): number {
  return count === 0 ? 0 : 2 ** Math.floor(Math.log2(count));
}

function remedyOf({ kind, observed, reason }: Finding): string {
  switch (kind) {
    case "unreachable":
      return reason.startsWith("no TLS")
        ? `mend its certificate; \`tls: { verify, server_name }\` in its service file says how ${observed.tls?.verify === false ? "" : "else "}it is verified, and \`haproxy.ca_file\` in sherlock.yaml by which authorities`
        : "let it listen at that address, or correct `url` in its service file; a firewall may stand between";
    case "refused":
      return "mend the answer in the application: other clients refuse it too";
    case "unanswered":
      return "see the log of the instance: its check is answered, and requests are not";
  }
}
