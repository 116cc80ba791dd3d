import type { Answer } from "@datawire/api";
import type { StatusProblem } from "../problems/service-problems.ts";
import type { Originals } from "./originals.ts";

/** Where to ask for what the clients of a tenant have said; null while none of them ever came. */
interface Known {
  originals(): Pick<Originals, "reports" | "relay"> | null;
}

/** The most nodes of one kind of trouble that are named in one line. */
const NAMED_MAX = 10;
const CANNOT =
  "give the service a name of the rule and the process an address that others reach, as docs/mdk-original.md says; until then Sherlocks and routes know nothing of it";
const LEFT_OUT =
  "correct its address, or give its process a token that covers the service: `dw token create --role library --services PATTERN`";

/** What is wrong with nodes of the original MDK. */
export function originalProblems({ originals }: Known): StatusProblem[] {
  const known = originals();
  if (known === null) return [];
  const problems = known.reports().flatMap(({ nodeId, leftOut }) =>
    leftOut.map(({ service, address, environment, message }): StatusProblem => {
      const subject = `node ${service} of the MDK client ${nodeId ?? "without a name"}`;
      return {
        severity: "error",
        subject,
        message: `left out: ${address} in the environment ${environment}: ${message}`,
        remedy: LEFT_OUT,
      };
    }),
  );
  const relayed = known.relay.relayed();
  if (relayed.length === 0) return problems;
  const names = [...new Set(relayed.map(({ service, address }) => `${service} at ${address}`))].toSorted();
  const more = names.length > NAMED_MAX ? `, and ${names.length - NAMED_MAX} more` : "";
  const message = `told of to clients of the original MDK alone: ${names.slice(0, NAMED_MAX).join(", ")}${more}`;
  return [...problems, { severity: "warning", subject: "nodes of MDK clients", message, remedy: CANNOT }];
}

/** The clients of the original MDK that are connected. They have no name as callers, and so are any. */
export function originalCallers({ originals }: Known): Answer<"listCallers">["callers"] {
  return (originals()?.reports() ?? []).flatMap(({ nodeId, version, sinceMs }) => {
    if (nodeId === null) return [];
    const since = new Date(sinceMs).toISOString();
    return [{ name: nodeId, kind: "library" as const, id: nodeId, version, zone: null, revision: null, since }];
  });
}
