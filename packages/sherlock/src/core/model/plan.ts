import type { Balance, ReportedProblem } from "@datawire/protocol";
import type { ServiceView } from "@datawire/catalog";
import type { BackendKey } from "./backend-key.ts";
import type { ServiceLimits } from "./limits.ts";
import type { PersistentMap } from "../parts/persistent-map.ts";
import type { BlockPart } from "./prefixes.ts";

/**
 * What HAProxy should do, derived from the table alone. The structure is in the configuration and needs a reload to
 * change; everything else is data, which is changed over the runtime socket.
 */
export interface Plan {
  /**
   * service → what of the plan is its own. What does not change is the same object in the next plan, so that two plans
   * are compared by what differs; all else here is these parts, seen as a whole.
   */
  readonly parts: PersistentMap<string, PlanPart>;
  readonly structure: Structure;
  /** backend → its servers by name. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, PlannedServer>>;
  readonly maps: PlannedMaps;
  /** Base of a pair of blocks → the content of one of the two. The pointers in `maps` name the base. */
  readonly blocks: ReadonlyMap<number, PlannedBlock>;
  /** service → the parts of the structure that it needs to be served. */
  readonly needs: ReadonlyMap<string, ServiceNeeds>;
  /** The backends that requests are led to before any has turned out to be dead, with how many services lead there. */
  readonly leads: ReadonlyMap<string, number>;
  /** service → the part of the table that its plan was made from. A service that is missing here has none. */
  readonly views: ReadonlyMap<string, ServiceView>;
  /**
   * Services for which it is unknown what HAProxy follows, so that they stay as HAProxy has them; left out for none.
   */
  readonly unknown?: ReadonlySet<string>;
  /** Which backends of the plan use which spare ones of HAProxy; left out for none. */
  readonly carried?: Carried;
  /** What could not be planned as the table has it, for operators. */
  readonly problems: readonly PlanProblem[];
}

/** What one service adds to a plan. */
export interface PlanPart {
  readonly backends: ReadonlyMap<string, PlannedBackend>;
  /** Its entries in maps, but for those of blocks. */
  readonly entries: PartEntries;
  /** The content of its blocks, by their base. */
  readonly blocks: readonly (readonly [base: number, block: PlannedBlock])[];
  readonly needs: ServiceNeeds;
  /** What it was made from; null where nothing could be made of it. */
  readonly view: ServiceView | null;
}

/** The entries of one service, by the map that they are in. */
export type PartEntries = Readonly<Partial<Record<MapName, readonly MapEntry[]>>>;
/** One entry of a map. */
export type MapEntry = readonly [key: string, value: string];

/** A backend with its servers, by name. */
export interface PlannedBackend {
  readonly structure: BackendStructure;
  readonly servers: ReadonlyMap<string, PlannedServer>;
}

/**
 * What a pointer points to, replaced as a whole: which numbers go where, and the conditions that are looked at before.
 */
export interface PlannedBlock {
  readonly parts: readonly BlockPart[];
  readonly rules: readonly BlockRule[];
}

/** An entry of a map for one block. */
export interface BlockRule {
  readonly map: BlockMapName;
  /** What follows the number of the block in its key. */
  readonly suffix: string;
  readonly value: string;
}

/** The part of a plan that is in the configuration itself, so that only a reload can change it. */
export interface Structure {
  /** By name, sorted. */
  readonly backends: ReadonlyMap<string, BackendStructure>;
  readonly tcpListeners: ReadonlyMap<string, TcpListener>;
  readonly keys: RequestKeys;
}

/** What of the structure one service asks for. */
export interface ServiceNeeds {
  /** The backends of the service, and those of other services that its maps lead to. */
  readonly backends: ReadonlySet<string>;
  /** The names that decide about its requests at present, which may be fewer than its routes name. */
  readonly keys: ServiceKeys;
}

/** A backend apart from its servers. */
export interface BackendStructure extends BackendKey {
  readonly name: string;
  readonly balance: Balance;
  readonly limits: ServiceLimits;
  /** Whether a session may choose its server. */
  readonly pinned: boolean;
}

/** The local port of a TCP service. */
export interface TcpListener {
  readonly service: string;
  readonly host: string;
  readonly port: number;
}

/**
 * The names of what is looked at in requests: each distinct one costs a rule in the configuration, while the values
 * that are compared, and the services that care, are data. All sorted.
 */
export interface RequestKeys {
  readonly whenHeaders: readonly string[];
  readonly whenCookies: readonly string[];
  readonly whenQueries: readonly string[];
  readonly stickyHeaders: readonly string[];
  readonly stickyCookies: readonly string[];
  readonly stickyIp: boolean;
  /** What the cookies of sessions are called. */
  readonly sessionCookies: readonly string[];
  /** The lengths of base paths, which have to be cut off again when a request goes from one backend to the next. */
  readonly baseLengths: readonly number[];
}

/** Of these, what the requests of one service are looked at for. */
export type ServiceKeys = Omit<RequestKeys, "baseLengths">;

/** One server of a backend, as HAProxy is to have it. */
export interface PlannedServer {
  readonly name: string;
  /** An IP address without brackets. */
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** Whether it takes requests; with a weight of 0 only those of its sessions. */
  readonly ready: boolean;
  /** Whether it takes no new requests, and may go on with what it has. */
  readonly draining: boolean;
  /** Unique in its backend; decides with the policies `ordered` and `consistent`. */
  readonly id: number;
  /** The name that its certificate has to have; null without TLS, or where the URL has an IP address. */
  readonly tlsName: string | null;
  /** How long what it serves may take once it takes no new requests. */
  readonly drainMs: number;
  /** Which instances it stands for: more than one when several registered the same URL. */
  readonly instances: readonly PlannedInstance[];
}

/** An instance that a server stands for, to attribute what it counts. */
export interface PlannedInstance {
  readonly name: string;
  readonly version: string | null;
}

/** Something of the table that cannot be served, for `dw status`. Its subject is an address: `//barker`, `//barker@vm102`. */
export type PlanProblem = Readonly<ReportedProblem>;

/** Every map file but `draw`, with what its keys and values are. */
export const MAP_NAMES = [
  /** service → the one backend that takes all of its requests. */
  "plain",
  /** service → base of the block that its requests are drawn from. */
  "routed",
  /** The same for services with `--when` or `--sticky`, which take a longer way. */
  "special",
  /** The same for services with sessions, which take a longer one. */
  "kept",
  /** The same as `plain` and `routed` for TCP services. */
  "tcp_plain",
  "tcp_routed",
  /** node → base of the block that divides it once more. */
  "split",
  /** service → why it has nothing live: every service of the table. */
  "known",
  /** block → `path` where it has `--when` rules by path, else `1` where it has others. */
  "whens",
  /** `block/service/prefix` → node. */
  "when_path",
  /** `block|h:name=HEX`, `c:` or `q:` → the age of the rule, lower is older. */
  "when",
  /** `block|age` → node. */
  "when_node",
  /** block → `h:name`, `c:name` or `ip`. */
  "sticky",
  /** `block|node`, `block|when|age` or `block/service/prefix` → `TARGET|RULE`, while requests may be explained. */
  "reasons",
  /** `service|backend` → the same where one takes all; `backend/server` → its instances; `backend` → its group. */
  "places",
  /** service, or node → the name of the cookie by which its sessions are found. */
  "jars",
  /** `service|ID`, `node|ID` → `backend/server`, where the session of that cookie is. */
  "pins",
  /** `service|backend/server` → the id that its cookie has. */
  "marks",
  /** `origin>from` → the backend to try after `from`, for requests that began at `origin`. */
  "fallback",
  /** service → the backend to try when a share into another service found nothing there. */
  "last",
  /** backend → length of its base path. */
  "cut",
  /** spare backend → the backend that stands in it; filled on the way to HAProxy, from `carried` of a plan. */
  "carried",
  /** `table` → `1` once a table is known; `revision` → of which all services follow it, while requests may be explained. */
  "state",
] as const;

/** The name of a map: one of `MAP_NAMES`. */
export type MapName = (typeof MAP_NAMES)[number];
/** The entries of every map, by key. */
export type PlannedMaps = Readonly<Record<MapName, ReadonlyMap<string, string>>>;

/** Backends that stand in spare ones, by which. */
export type Carried = ReadonlyMap<string, string>;

/** Where requests go that nobody may take: a backend that answers 503. */
export const NOTHING = "nothing";

/**
 * Where requests without a session go while all instances of a service that are left drain: it answers 503 with the
 * reason.
 */
export const DRAINED = "drained";

/** The backends that every configuration has. */
export const OWN_BACKENDS: ReadonlySet<string> = new Set([NOTHING, DRAINED]);

/**
 * The maps whose keys begin with the number of a block, so that its entries take effect as soon as a pointer points to
 * it.
 */
export const BLOCK_MAPS = [
  "whens",
  "when_path",
  "when",
  "when_node",
  "sticky",
  "reasons",
] as const satisfies readonly MapName[];
/** The name of a map whose entries are blocks: one of `BLOCK_MAPS`. */
export type BlockMapName = (typeof BLOCK_MAPS)[number];

/** The maps whose values are the base of a block. */
export const POINTER_MAPS = ["routed", "special", "kept", "tcp_routed", "split"] as const satisfies readonly MapName[];
