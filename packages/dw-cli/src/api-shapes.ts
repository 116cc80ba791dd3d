import type {
  Explanation,
  Histogram,
  InstanceListing,
  Role,
  RouteListing,
  ServiceListing,
  ServiceSettings,
} from "@datawire/protocol";

/** What the directory answers; it is believed to keep to its interface, as this program comes with it. */

/** Of which table an answer tells. */
interface OfTable {
  readonly epoch: string;
  readonly revision: number;
}

export interface ServicesAnswer extends OfTable {
  readonly services: readonly ServiceListing[];
}

export interface ServiceAnswer extends OfTable {
  readonly service: ServiceListing;
  readonly settings: ServiceSettings;
  readonly declared: boolean;
}

export interface InstancesAnswer extends OfTable {
  readonly instances: readonly (InstanceListing & {
    readonly service: string;
    /** The host of the Watson that registered it; null when that is not known. */
    readonly watson: string | null;
    readonly drained: boolean;
  })[];
}

export interface RoutesAnswer extends OfTable {
  readonly routes: readonly RouteListing[];
}

/** After a change of routes, or one that was only tried. */
export interface RouteChangeAnswer extends RoutesAnswer {
  readonly notes: readonly string[];
  readonly distribution: Explanation | null;
  readonly changed: boolean;
}

/** After a change that is not of routes alone. */
export interface ChangeAnswer extends OfTable {
  readonly notes: readonly string[];
  readonly changed: boolean;
}

export interface UndoAnswer extends ChangeAnswer {
  /** What was done when the change was made that is taken back. */
  readonly undone: string;
}

export interface DistributionsAnswer extends OfTable {
  readonly distributions: readonly Explanation[];
}

export interface ExplainAnswer extends OfTable {
  readonly explanation: Explanation;
}

export interface HistoryAnswer {
  readonly history: readonly {
    readonly id: number | string;
    readonly at: string;
    readonly who: string;
    readonly verified: boolean;
    readonly action: string;
    readonly undone: boolean;
  }[];
}

export interface CallersAnswer {
  readonly callers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly version: string;
    readonly zone: string | null;
    readonly revision: number | null;
    readonly since: string;
  }[];
}

export interface CountersAnswer {
  /** The span of time that the counters are of. */
  readonly from: string;
  readonly until: string;
  readonly counters: readonly {
    readonly caller: string;
    readonly service: string;
    readonly version: string | null;
    readonly instance: string | null;
    readonly requests: number;
    readonly responses: readonly [number, number, number, number, number];
    readonly failures: number;
    readonly latencyMs: { readonly average: number; readonly max: number } | null;
    /** Left out by a directory that knows nothing of it. */
    readonly latencies?: Histogram | undefined;
  }[];
}

interface Reported {
  readonly subject: string;
  readonly message: string;
  readonly severity?: "error" | "warning";
  readonly remedy?: string;
}

interface Problem {
  readonly severity: "error" | "warning";
  readonly subject: string;
  readonly message: string;
  readonly remedy: string | null;
}

export interface StatusAnswer {
  readonly directory: OfTable & {
    readonly address: string;
    readonly version: string;
    readonly startedAt: string;
    /** When it answered, by its clock. */
    readonly now: string;
    readonly state: "warming" | "ready" | "read-only";
    readonly store: string;
    readonly guard: null | { readonly held: number; readonly reason: string };
  };
  /** The directories on its store; empty for a store that is not shared, left out by older ones. */
  readonly replicas?: readonly {
    readonly id: string;
    readonly address: string;
    readonly version: string;
    readonly startedAt: string;
    /** Whether it is the one that answers. */
    readonly self: boolean;
  }[];
  readonly watsons: readonly {
    readonly name: string;
    readonly id: string;
    readonly version: string;
    readonly state: "connected" | "lost";
    readonly since: string;
    readonly instances: number;
    readonly problems: readonly Reported[];
  }[];
  readonly sherlocks: readonly {
    readonly name: string;
    readonly version: string;
    readonly revision: number | null;
    readonly lag: number | null;
    readonly since: string;
    readonly problems: readonly Reported[];
  }[];
  readonly problems: readonly Problem[];
  readonly counts: { readonly services: number; readonly instances: number; readonly routes: number };
}

/** A token without its secret. */
export interface TokenListing {
  readonly id: string;
  readonly role: Role;
  /** Patterns of the services that may be registered with it; null for all. */
  readonly services: readonly string[] | null;
  readonly tenant: string | null;
  /** RFC 3339, as `expires`. */
  readonly created: string;
  readonly createdBy: string;
  readonly expires: string | null;
  readonly expired: boolean;
}

export interface TokensAnswer {
  readonly tokens: readonly TokenListing[];
}

export interface TokenCreateAnswer extends TokenListing {
  readonly token: string;
}

export interface TokenRevokeAnswer {
  readonly revoked: TokenListing;
}
