import type { Plan } from "../model/plan.ts";
import type { Running } from "../model/running.ts";

/** Nothing is deleted earlier, since HAProxy 2.6 has races between deleting a server and requests that just end. */
const DELETE_MS_MIN = 5_000;
/** What HAProxy has refused to delete is tried again so much later. */
const DELETE_RETRY_MS = 1_000;
const DRAIN_MS_UNKNOWN = 10_000;

/** A server that takes no new requests. */
export interface LeavingServer {
  readonly sinceMs: number;
  /** How long what it serves may take. */
  readonly drainMs: number;
  /** Whether what it still served has been ended. */
  readonly isCut: boolean;
  /** Whether the plan has it, so that it is not deleted. */
  readonly isPlanned: boolean;
  /** When HAProxy was last asked to delete it; null for never. */
  readonly triedMs: number | null;
}

/**
 * The servers that take no new requests, by `backend/server`: what they still serve is ended once their time is over,
 * and those that nothing stands for any more are deleted. A server that comes back in time is simply used again.
 */
export type Leaving = ReadonlyMap<string, LeavingServer>;

/** No server leaves. */
export const NOBODY_LEAVES: Leaving = new Map();

/** What is looked at to see which servers leave. */
export interface LeavingLook {
  readonly running: Running;
  /** The plan that is followed now. */
  readonly plan: Plan;
  /** The plan by which the servers that left were still in use. */
  readonly before: Plan | null;
  /** The backends whose servers may have left or come back since the last look. */
  readonly touched: Iterable<string>;
  readonly nowMs: number;
}

/** Notes which servers have stopped to take requests, and which take them again. */
export function lookForLeaving(leaving: Leaving, look: LeavingLook): Leaving {
  const servers = new Map<string, LeavingServer>();
  const see = (backend: string, name: string): void => {
    const id = `${backend}/${name}`;
    const seen = leavingServer(leaving.get(id), { backend, name }, look);
    if (seen !== null) servers.set(id, seen);
  };
  for (const id of leaving.keys()) {
    const slash = id.indexOf("/");
    see(id.slice(0, slash), id.slice(slash + 1));
  }
  for (const backend of look.touched)
    for (const name of look.running.servers.get(backend)?.keys() ?? []) see(backend, name);
  return servers;
}

function leavingServer(
  known: LeavingServer | undefined,
  { backend, name }: { readonly backend: string; readonly name: string },
  { running, plan, before, nowMs }: LeavingLook,
): LeavingServer | null {
  if (running.servers.get(backend)?.get(name)?.ready !== false) return null;
  const planned = plan.servers.get(backend)?.get(name);
  const isPlanned = planned !== undefined;
  if (known === undefined) {
    const drainMs = (planned ?? before?.servers.get(backend)?.get(name))?.drainMs ?? DRAIN_MS_UNKNOWN;
    return { sinceMs: nowMs, drainMs, isCut: false, isPlanned, triedMs: null };
  }
  // An instance that ended its work in peace, as it seemed, may turn out to be frozen.
  const drainMs = Math.min(known.drainMs, planned?.drainMs ?? known.drainMs);
  return { ...known, drainMs, isPlanned };
}

/** When something is due of the servers that leave; null for never. */
export function leavingAtMs(leaving: Leaving): number | null {
  let atMs: number | null = null;
  for (const server of leaving.values()) {
    const serverMs = server.isCut ? deletedAtMs(server) : cutAtMs(server);
    if (serverMs !== null && (atMs === null || serverMs < atMs)) atMs = serverMs;
  }
  return atMs;
}

/** What is due of the servers that leave. */
export interface LeavingDue {
  /** Servers whose requests are ended. */
  readonly cut: readonly string[];
  /** Servers that HAProxy is asked to delete, which it refuses while they have connections. */
  readonly remove: readonly string[];
  /** What holds once both have been tried. */
  readonly leaving: Leaving;
}

/** Says what is due at `nowMs`. */
export function dueOfLeaving(leaving: Leaving, nowMs: number): LeavingDue {
  const cut: string[] = [];
  const remove: string[] = [];
  const servers = new Map(leaving);
  for (const [id, server] of leaving) {
    const isCut = server.isCut || cutAtMs(server) <= nowMs;
    const atMs = isCut ? deletedAtMs(server) : null;
    const isRemoved = atMs !== null && atMs <= nowMs;
    if (isCut && !server.isCut) cut.push(id);
    if (isRemoved) remove.push(id);
    servers.set(id, { ...server, isCut, triedMs: isRemoved ? nowMs : server.triedMs });
  }
  return { cut, remove, leaving: servers };
}

/** Forgets servers that HAProxy has deleted, in what it holds too. */
export function noteRemoved(leaving: Leaving, running: Running, removed: readonly string[]): Leaving {
  const servers = new Map(leaving);
  for (const id of removed) {
    const [backend = "", name = ""] = id.split("/");
    running.servers.get(backend)?.delete(name);
    servers.delete(id);
  }
  return servers;
}

function cutAtMs({ sinceMs, drainMs }: LeavingServer): number {
  return sinceMs + drainMs;
}

function deletedAtMs({ sinceMs, isPlanned, triedMs }: LeavingServer): number | null {
  if (isPlanned) return null;
  return triedMs === null ? sinceMs + DELETE_MS_MIN : triedMs + DELETE_RETRY_MS;
}
