import type { TcpListener } from "../model/plan.ts";
import { addRefused, ATTEMPTS_MAX } from "./quarantine.ts";
import type { Effect, Known, Result, Trial } from "./state.ts";

const RETRY_MS = 20;
const RETRY_MS_MAX = 5_000;
/** Taken ports are tried again so much later. */
export const PORTS_RETRY_MS = 5_000;

/** Puts into quarantine what HAProxy blames, unless that has changed since; null where nobody can be blamed. */
export function blame(
  known: Known,
  { attempt, changed }: Trial,
  { services, reason }: Extract<Result, { readonly event: "rejected" }>,
): { readonly known: Known; readonly effects: readonly Effect[] } | null {
  if (services.length === 0 || attempt >= ATTEMPTS_MAX) return null;
  const blamed = services.filter((service) => !changed.has(service));
  return {
    known: { ...known, quarantine: addRefused(known.quarantine, blamed, reason) },
    effects: blamed.map((service) => ({ effect: "quarantined", service, reason })),
  };
}

/** Adds the ports that turn out to be taken. */
export function takenPorts(
  known: Known,
  {
    listeners,
    result,
    nowMs,
  }: {
    readonly listeners: Iterable<TcpListener>;
    readonly result: Extract<Result, { readonly event: "ports tried" }>;
    readonly nowMs: number;
  },
): Pick<Known, "portsTaken" | "portsAtMs"> & { readonly effects: readonly Effect[] } {
  const effects: Effect[] = [];
  for (const { service, host, port } of listeners) {
    const place = `${host}:${port}`;
    const reason = result.taken.get(place);
    if (reason !== undefined) effects.push({ effect: "port taken", service, port: place, reason });
  }
  const portsTaken = new Map([...known.portsTaken, ...result.taken]);
  const portsAtMs = portsTaken.size === 0 ? null : (known.portsAtMs ?? nowMs + PORTS_RETRY_MS);
  return { portsTaken, portsAtMs, effects };
}

/** One more attempt has failed. */
export function failure(
  { failures }: Known,
  told: Extract<Effect, { readonly effect: "failed" | "unreadable" }>,
  nowMs: number,
): Pick<Known, "failures" | "hasNews"> & { readonly effects: Effect[]; readonly retryAtMs: number } {
  const effects: Effect[] = [told];
  if (failures > 0) effects.push({ effect: "struggles", reason: told.reason });
  const retryAtMs = nowMs + Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** failures);
  return { failures: failures + 1, hasNews: true, retryAtMs, effects };
}

/** A result that no such task has. */
export function unexpected(doing: string, { event }: Result): Error {
  return new Error(`Cannot take ${JSON.stringify(event)} as the result of ${doing}`);
}
