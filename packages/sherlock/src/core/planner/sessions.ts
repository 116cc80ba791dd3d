import type { Holder } from "@datawire/routing";
import type { Placement } from "./placement.ts";
import type { PlannedServer } from "../model/plan.ts";

/** What the cookies of sessions say: texts of which nobody can read an instance. */
export interface SessionIds {
  /**
   * The first is the one that is set; the others, of keys that held before, are still understood.
   * @param keeper the service whose cookie it is.
   * @param instance null for what stands at the default URL.
   */
  of(keeper: string, service: string, instance: string | null): readonly string[];
  /** Whether they are the same at every Sherlock of the directory. */
  readonly shared: boolean;
}

/** Requests whose cookie is looked at, and where the sessions that they name can live. */
export interface SessionScope {
  /** A service, for its own requests, or the node that a share or a condition leads to. */
  readonly scope: string;
  /** The service whose policy it is. */
  readonly keeper: string;
  readonly cookie: string;
  readonly holders: readonly Holder[];
}

/** What the sessions of one service add to the maps. */
export interface SessionPlan {
  /** The services in whose backends a session chooses its server. */
  readonly pinned: ReadonlySet<string>;
  /** The names of the cookies. */
  readonly cookies: readonly string[];
  /** scope → name of the cookie. */
  readonly jars: readonly Line[];
  /** `scope|id` → `backend/server` */
  readonly pins: readonly Line[];
  /** `keeper|backend/server` → id */
  readonly marks: readonly Line[];
}

type Line = readonly [key: string, value: string];

/** Of a service that keeps no sessions. */
export const NO_SESSIONS: SessionPlan = { pinned: new Set(), cookies: [], jars: [], pins: [], marks: [] };

interface SessionContext {
  /** Of the service's own policy; null where others alone keep sessions. */
  readonly cookie: string | null;
  readonly pinned: ReadonlySet<string>;
  readonly ids: SessionIds;
  /** Where a holder stands; null where it cannot be reached. */
  place(holder: Holder): Placement | null;
}

/** Says which cookie leads where, and which one an answer of each server sets. */
export function planSessions(
  scopes: readonly SessionScope[],
  { cookie, pinned, ids, place }: SessionContext,
): SessionPlan {
  const pins = new Map<string, string>();
  const marks = new Map<string, string>();
  for (const { scope, keeper, holders } of scopes) {
    for (const holder of holders) {
      const placement = place(holder);
      if (placement === null) continue;
      const at = `${placement.backend}/${placement.server.name}`;
      const { service, instance } = identityOf(holder);
      const all = ids.of(keeper, service, instance);
      for (const id of all) pins.set(`${scope}|${id}`, at);
      // Several instances with one URL are one server, of which any name will do.
      const mark = `${keeper}|${at}`;
      if (!marks.has(mark)) marks.set(mark, all[0] as string);
    }
  }
  return {
    pinned,
    cookies: [...new Set([...(cookie === null ? [] : [cookie]), ...scopes.map((one) => one.cookie)])],
    jars: scopes.map((one) => [one.scope, one.cookie]),
    pins: [...pins],
    marks: [...marks],
  };
}

/** Servers that drain, as backends have them in which sessions choose: no new session comes to a weight of nothing. */
export function keepDraining(servers: ReadonlyMap<string, PlannedServer>): ReadonlyMap<string, PlannedServer> {
  if (![...servers.values()].some(drains)) return servers;
  return new Map([...servers].map(([name, server]) => [name, drains(server) ? { ...server, ...DRAINING } : server]));
}

const DRAINING = { ready: true, weight: 0 } as const;

function drains({ ready, draining }: PlannedServer): boolean {
  return draining && !ready;
}

function identityOf(holder: Holder): { readonly service: string; readonly instance: string | null } {
  if (holder.kind === "url") return { service: holder.service, instance: null };
  return { service: holder.instance.service, instance: holder.instance.name };
}
