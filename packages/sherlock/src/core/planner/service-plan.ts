import type { ServiceView } from "@datawire/catalog";
import type { BackendStructure, PlannedServer, PlanProblem, ServiceKeys } from "../model/plan.ts";
import type { BlockPart } from "../model/prefixes.ts";
import type { RuleLine } from "../model/rules.ts";
import type { PlacementContext } from "./placement.ts";
import type { SessionIds, SessionPlan } from "./sessions.ts";

/** What one service adds to the plan; made of that service and those that its routes name, and of nothing else. */
export interface ServicePlan {
  readonly service: string;
  /** What it was made of; null where nothing could be made of it. */
  readonly view: ServiceView | null;
  readonly isTcp: boolean;
  readonly backends: ReadonlyMap<string, PlannedBackend>;
  readonly entry: Entry;
  /** Nodes that are divided once more. */
  readonly splits: readonly Split[];
  readonly rules: readonly RuleLine[];
  /** node → why requests are drawn there, as `TARGET|RULE`; null where no request is explained. */
  readonly reasons: ReadonlyMap<string, string> | null;
  /** `h:name`, `c:name` or `ip`. */
  readonly sticky: string | null;
  readonly sessions: SessionPlan;
  /** What its routes tell apart, whether or not anything lives that they lead to. */
  readonly keys: ServiceKeys;
  readonly fallback: readonly (readonly [key: string, next: string])[];
  /** Where a share into another service comes back to when nothing is alive there. */
  readonly last: string | null;
  readonly problems: readonly PlanProblem[];
}

/** A backend with its servers, by name. */
export interface PlannedBackend {
  readonly structure: BackendStructure;
  readonly servers: ReadonlyMap<string, PlannedServer>;
}

/** Where the requests of a service enter. */
export type Entry =
  | { readonly kind: "plain"; readonly backend: string }
  /** Only sessions that go on get an answer where there is a reason why others do not. */
  | { readonly kind: "drawn"; readonly parts: readonly BlockPart[]; readonly reason: string | null }
  | { readonly kind: "down"; readonly reason: string };

/** The parts that the requests of one node are divided among. */
export interface Split {
  readonly node: string;
  readonly parts: readonly BlockPart[];
}

/** What the plan of a service depends on beside the table. */
export interface ServiceContext extends PlacementContext {
  /** The name of the caller. */
  readonly caller: string;
  /** Whether a draw may go by the address of the client: not on loopback, where all clients have one. */
  readonly stickyIp: boolean;
  readonly sessionIds: SessionIds;
  /** Whether requests may ask why they go where they go. */
  readonly explain: boolean;
}
