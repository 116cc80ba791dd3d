import type { Plan } from "../model/plan.ts";
import type { Running } from "../model/running.ts";
import { NOBODY_LEAVES } from "./leaving.ts";
import { NO_QUARANTINE } from "./quarantine.ts";
import type { Files, Known, Proxy, State } from "./state.ts";

const NOTHING_KNOWN: Known = {
  hasNews: true,
  quarantine: NO_QUARANTINE,
  portsTaken: new Map(),
  portsAtMs: null,
  files: null,
  filesAtMs: null,
  filesRestUntilMs: Number.NEGATIVE_INFINITY,
  lastReloadMs: null,
  failures: 0,
};

/** The state of a Sherlock that has no HAProxy yet. */
export const STOPPED: State = {
  state: "stopped",
  known: NOTHING_KNOWN,
  before: null,
  retryAtMs: Number.NEGATIVE_INFINITY,
};

/** The state of a Sherlock that has taken over a running HAProxy; `files` are null where their structure is not known. */
export function adopted(running: Running, files: Files | null): State {
  const known: Known = { ...NOTHING_KNOWN, files, filesAtMs: Number.NEGATIVE_INFINITY };
  return { state: "idle", known, proxy: proxyOf(running, null), retryAtMs: null };
}

/** An HAProxy that has just been started or taken over. */
export function proxyOf(running: Running, followed: Plan | null): Proxy {
  return {
    running,
    isKnown: true,
    followed,
    isSettled: false,
    pending: null,
    refusal: null,
    repairs: 0,
    leaving: NOBODY_LEAVES,
    refill: null,
  };
}
