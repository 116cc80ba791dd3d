import type { Right } from "@datawire/api";
import type { Role } from "@datawire/protocol";

/**
 * The rights of each role: an operator and a Sherlock see what they work with, and a Watson sees nothing. A client is of
 * messages alone, of which a directory has none: it may find routers here, and log; the router that it speaks with follows
 * the table, and registers those who receive.
 */
const RIGHTS: Readonly<Record<Role, ReadonlySet<Right>>> = {
  client: new Set(["message", "log"]),
  router: new Set(["subscribe", "message", "route", "log"]),
  viewer: new Set(["subscribe", "read", "trace"]),
  library: new Set(["register", "subscribe", "message", "log", "trace"]),
  watson: new Set(["register", "log"]),
  sherlock: new Set(["subscribe", "read", "log", "trace"]),
  operator: new Set(["subscribe", "read", "change", "message", "log", "trace"]),
  admin: new Set(["register", "subscribe", "read", "change", "administer", "message", "route", "log", "trace"]),
};

/** What each right lets its holder do, to go after "the right to". */
const MEANINGS: Readonly<Record<Right, string>> = {
  register: "register services",
  subscribe: "follow the table",
  read: "read services and routes",
  change: "change routes, services and instances",
  administer: "see and change tokens",
  log: "write logs and traces",
  trace: "read logs and traces",
  message: "send and receive messages",
  route: "route messages",
};

/** Whether a role includes a right. */
export const hasRight = (role: Role, right: Right): boolean => RIGHTS[role].has(right);

/** A right in words: `change routes, services and instances`. */
export const describeRight = (right: Right): string => MEANINGS[right];

/** The roles that have a right, as people write them: `viewer, operator or admin`. */
export function rolesWith(right: Right): string {
  const roles = (Object.keys(RIGHTS) as Role[]).filter((role) => hasRight(role, right));
  return roles.join(", ").replace(/, (?=[^,]*$)/, " or ");
}
