import { keepOnly, type ServerCounts } from "./statistics.ts";
import type { PlannedServer } from "../model/plan.ts";

/** A server as far as it matters here whether HAProxy can use it. */
export interface Observed extends Pick<PlannedServer, "address" | "port" | "ready" | "tlsName" | "instances"> {
  readonly isTcp: boolean;
  /** How it is verified; null without TLS. */
  readonly tls: { readonly verify: boolean } | null;
}

/** What is wrong with a live instance: no connection, refused connections, or no answers. */
export type FindingKind = "unreachable" | "refused" | "unanswered";

/** What HAProxy finds of a server that takes requests according to the table. */
export interface Finding {
  readonly backend: string;
  readonly server: string;
  readonly observed: Observed;
  readonly kind: FindingKind;
  /** Why, as a clause. */
  readonly reason: string;
  /** Requests that met it; 0 where HAProxy sent none. */
  readonly count: number;
  readonly sinceMs: number;
}

/** A server of which HAProxy says that something is wrong, and not what. */
export type Question = Pick<Finding, "backend" | "server" | "observed"> & { readonly about: "tls" | "answer" };

/** When something is looked at: by the wall clock, which people are told, and by the monotonic one, which decides. */
export interface Look {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

interface Entry extends Finding {
  /** By the monotonic clock. */
  readonly lastMs: number;
  readonly explained: boolean;
}

/** Within this, a Watson with the usual check (every 3 s, 1 s for an answer) reports an instance that has died. */
const DOWN_S_MIN = 4;
/** A server that answered nothing at so many looks in a row, though it was asked. */
const SILENT_LOOKS = 2;
/**
 * How long after the last refused answer an accepted one ends the finding, as an instance may answer some paths well
 * and others not.
 */
const REFUSED_MS = 30_000;
/** A finding of which nothing more was seen is over, as nobody asks any more. */
const STALE_MS = 600_000;

/** What HAProxy has found out about its servers, kept from one look at its statistics to the next. */
export class Findings {
  readonly #last = new Map<string, ServerCounts>();
  #entries = new Map<string, Entry>();
  #silent = new Map<string, Silence>();

  /** Takes a look. @returns what only other commands tell. */
  look(
    counts: readonly ServerCounts[],
    observe: (backend: string, server: string) => Observed | null,
    at: Look,
  ): Question[] {
    const entries = this.#entries;
    this.#entries = new Map();
    const questions: Question[] = [];
    for (const now of counts) {
      const { id } = now;
      const last = this.#last.get(id);
      // Nothing came, and nothing is known of it.
      if (now === last && now.down === null && !entries.has(id) && !this.#silent.has(id)) continue;
      this.#last.set(id, now);
      const observed = observe(now.backend, now.server);
      if (observed === null || !observed.ready) {
        this.#silent.delete(id);
        continue;
      }
      const came = sinceLast(now, last);
      const seen = this.#judge({ now, came, observed }, entries.get(id), at);
      if (seen === null) continue;
      this.#entries.set(id, seen);
      const about = questionOf(seen, came, now);
      if (about !== null) questions.push({ ...seen, about });
    }
    keepOnly(this.#last, counts);
    for (const id of this.#silent.keys()) if (!this.#last.has(id)) this.#silent.delete(id);
    return questions;
  }

  /** An answer to a question. An answer that HAProxy refused makes a finding where there was a doubt alone. */
  explain({ backend, server, about }: Question, reason: string): void {
    const id = idOf({ backend, server });
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (about === "tls" && entry.kind === "unreachable") this.#entries.set(id, { ...entry, reason, explained: true });
    if (about === "answer" && entry.kind !== "unreachable")
      this.#entries.set(id, { ...entry, kind: "refused", reason, explained: true });
  }

  /** What is so now, by server. */
  list(): Finding[] {
    const certain = [...this.#entries.values()].filter(({ reason }) => reason !== "");
    return certain.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  }

  #judge(seen: Seen, known: Entry | undefined, at: Look): Entry | null {
    const { now, came, observed } = seen;
    if (now.down !== null && now.down.seconds >= DOWN_S_MIN) {
      this.#silent.delete(now.id);
      return unreachable(seen, now.down, { known, at });
    }
    if (observed.isTcp) return null;
    const old = known === undefined || known.kind === "unreachable" ? null : known;
    if (came.refused + came.unreached === 0) return this.#without(now.id, came, old, at.monotonicMs);
    return this.#failed(seen, old, at);
  }

  /** Some of what came since the last look has failed. */
  #failed({ now, came, observed }: Seen, old: Entry | null, at: Look): Entry {
    const failed = came.refused + came.unreached;
    const { sinceMs = at.wallMs, explained = false } = old ?? {};
    const base = { backend: now.backend, server: now.server, observed, lastMs: at.monotonicMs, sinceMs, explained };
    const silent = this.#silence(now.id, came.answered > 0 ? 0 : failed);
    if (old?.kind === "refused") return { ...base, kind: "refused", reason: old.reason, count: old.count + failed };
    const { looks, requests } = silent ?? { looks: 0, requests: failed };
    // A doubt alone has no reason yet: it may be an answer that HAProxy refused.
    const reason = looks >= SILENT_LOOKS ? describeSilence(requests) : "";
    return { ...base, kind: "unanswered", reason, count: requests };
  }

  /** For how many looks, and requests, a server has answered nothing: null where it has. */
  #silence(id: string, unanswered: number): Silence | null {
    if (unanswered === 0) {
      this.#silent.delete(id);
      return null;
    }
    const { looks, requests } = this.#silent.get(id) ?? { looks: 0, requests: 0 };
    const silence = { looks: looks + 1, requests: requests + unanswered };
    this.#silent.set(id, silence);
    return silence;
  }

  /** Nothing failed since the last look. */
  #without(id: string, came: Came, old: Entry | null, nowMs: number): Entry | null {
    if (came.answered > 0) this.#silent.delete(id);
    if (old === null || old.reason === "" || nowMs - old.lastMs >= STALE_MS) return null;
    const isOver = came.answered > 0 && (old.kind === "unanswered" || nowMs - old.lastMs >= REFUSED_MS);
    return isOver ? null : old;
  }
}

/** Looks in a row at which a server answered nothing, though it was asked, and its requests meanwhile. */
interface Silence {
  readonly looks: number;
  readonly requests: number;
}

/** A server at a look. */
interface Seen {
  readonly now: ServerCounts;
  readonly came: Came;
  readonly observed: Observed;
}

/** HAProxy has no connection to it. What is known of it stays, as long as it is the same address. */
function unreachable(
  { now, observed }: Seen,
  down: NonNullable<ServerCounts["down"]>,
  { known, at }: { readonly known: Entry | undefined; readonly at: Look },
): Entry {
  const same = known?.kind === "unreachable" ? known : null;
  const kept = same?.explained === true && same.observed.address === observed.address;
  return {
    backend: now.backend,
    server: now.server,
    observed,
    kind: "unreachable",
    reason: kept ? same.reason : describeDown(down, observed),
    count: 0,
    sinceMs: same?.sinceMs ?? at.wallMs - down.seconds * 1_000,
    lastMs: at.monotonicMs,
    explained: kept,
  };
}

/** What came since the last look. */
interface Came {
  readonly answered: number;
  readonly refused: number;
  readonly unreached: number;
}

function sinceLast(now: ServerCounts, last: ServerCounts | undefined): Came {
  // Totals that went down belong to a new worker, which began at zero.
  const before = last !== undefined && last.requests <= now.requests ? last : null;
  const sum = ({ responses }: ServerCounts): number => responses.reduce((total, count) => total + count, 0);
  return {
    answered: Math.max(0, sum(now) - (before === null ? 0 : sum(before))),
    refused: Math.max(0, now.refused - (before?.refused ?? 0)),
    unreached: Math.max(0, now.unreached - (before?.unreached ?? 0)),
  };
}

function questionOf(entry: Entry, { refused }: Came, { down }: ServerCounts): Question["about"] | null {
  if (entry.kind === "unreachable") return !entry.explained && down?.check.startsWith("L6") === true ? "tls" : null;
  return refused > 0 ? "answer" : null;
}

function describeDown({ check, detail }: NonNullable<ServerCounts["down"]>, { address, port }: Observed): string {
  const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const why = detail === "" ? "" : `: ${detail.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`;
  if (check === "L4TOUT") return `no connection to ${where} in time`;
  if (check.startsWith("L4")) return `no connection to ${where}${why}`;
  if (check.startsWith("L6")) return `no TLS with ${where}${why}`;
  return `no connection to ${where} (${check})${why}`;
}

function describeSilence(requests: number): string {
  return `${requests} requests in a row got no answer`;
}

const idOf = ({ backend, server }: { readonly backend: string; readonly server: string }): string =>
  `${backend}/${server}`;
