import { isoTime } from "@datawire/runtime";
import type { StatusProblem } from "../problems/service-problems.ts";
import type { Store } from "./contract.ts";
import type { MissingReplica } from "./replication.ts";

const OUTAGES = {
  embedded: {
    what: "cannot be written",
    remedy: "see that its data folder has room and is its own to write; the directory goes on by itself",
  },
  etcd: {
    what: "is out of reach",
    remedy: "see that etcd runs and that this machine reaches it; the directory goes on by itself",
  },
} as const;
const RETURN_OF_REPLICA =
  "see there that it runs and reaches etcd; if it was taken away for good, this is forgotten after an hour";

/**
 * What is wrong with the store that the directory at an address works on.
 * @param missing the other directories on it that have gone without a word.
 */
export function storeProblems(
  { kind, outage }: Pick<Store, "kind" | "outage">,
  { address, missing }: { readonly address: string; readonly missing: readonly MissingReplica[] },
): StatusProblem[] {
  const problems = missing.map((other): StatusProblem => {
    const message = `out of sight since ${isoTime(other.sinceMs)}: it has ended, or does not reach etcd; its clients go on to another one`;
    return { severity: "warning", subject: other.address, message, remedy: RETURN_OF_REPLICA };
  });
  if (outage === null) return problems;
  const { what, remedy } = OUTAGES[kind];
  const message = `read-only since ${isoTime(outage.sinceMs)}: its store ${what} (${outage.reason})`;
  return [{ severity: "error", subject: address, message, remedy }, ...problems];
}
