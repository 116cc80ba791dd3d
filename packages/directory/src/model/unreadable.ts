import { ProtocolError } from "@datawire/protocol";
import type { z } from "zod";

/** The refusal of a record that cannot be read, with its key. */
export const unreadable = (key: string, why: string): ProtocolError =>
  new ProtocolError("invalid_argument", `Cannot read record ${JSON.stringify(key.slice(0, 300))}: ${why}`);

/** The first thing that is wrong with a value by its schema: `path.to.it: what was wanted`. */
export function firstIssue({ issues: [issue] }: z.ZodError): string {
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  return where + (issue?.message ?? "malformed");
}
