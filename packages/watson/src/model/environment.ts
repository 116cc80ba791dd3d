import type { Env } from "@datawire/runtime";

/** What Watson is told by its service manager and in confidence. */
const OWN = /^(?:DATAWIRE_|NOTIFY_|WATCHDOG_|CREDENTIALS_DIRECTORY$)/;

/** Whether a variable is Watson's own business: neither a service file nor a program that it runs gets it. */
export function isOwnVariable(name: string): boolean {
  return OWN.test(name);
}

/** The environment without what is Watson's own business. */
export function environmentOfOthers(env: Env): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOwnVariable(name)));
}
