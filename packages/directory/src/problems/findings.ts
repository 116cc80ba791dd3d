import type { InstanceFinding } from "@datawire/api";
import { type ClientKind, parseServiceAddress, type ReportedProblem } from "@datawire/protocol";

/** A client as far as it tells what its proxy finds. */
export interface Finder {
  readonly kind: ClientKind;
  readonly name: string;
  readonly problems: readonly ReportedProblem[];
}

/** Of how many Sherlocks the findings of one instance are shown. */
const FINDINGS_MAX = 10;

/** What the proxies of callers find of instances, by `SERVICE@INSTANCE`. */
export function findingsOf(clients: readonly Finder[]): Map<string, InstanceFinding[]> {
  const found = new Map<string, InstanceFinding[]>();
  for (const { kind, name, problems } of clients) {
    if (kind !== "sherlock") continue;
    for (const { subject, message, finding } of problems) {
      const key = finding === undefined ? null : keyOf(subject);
      if (finding === undefined || key === null) continue;
      const list = found.get(key) ?? [];
      found.set(key, list);
      if (list.length >= FINDINGS_MAX) continue;
      const { count, sinceMs } = finding;
      list.push({ caller: name, kind: finding.kind, message, count, since: new Date(sinceMs).toISOString() });
    }
  }
  return found;
}

/** Which instances get no request of a caller's, as every one of its proxies finds, with why; `*` is all callers. */
export function unreachableFor(clients: readonly Finder[], caller: string): Map<string, string> {
  const own = clients.filter(({ kind, name }) => kind === "sherlock" && (caller === "*" || name === caller));
  const found = findingsOf(own);
  const reasons = new Map<string, string>();
  for (const [key, findings] of found) {
    const unreachable = findings.filter(({ kind }) => kind === "unreachable");
    const [first] = unreachable;
    if (first !== undefined && unreachable.length >= Math.min(own.length, FINDINGS_MAX))
      reasons.set(key, first.message);
  }
  return reasons;
}

function keyOf(subject: string): string | null {
  try {
    const { service, instance } = parseServiceAddress(subject);
    return instance === null ? null : `${service}@${instance}`;
  } catch {
    return null;
  }
}
