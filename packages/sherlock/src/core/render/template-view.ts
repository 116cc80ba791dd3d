import type { HaproxyFeatures } from "../model/haproxy-version.ts";
import type { ServiceLimits } from "../model/limits.ts";
import type { MapName } from "../model/plan.ts";
import type { HttpRules } from "./http-rules.ts";
import type { LatencyTarget, PercentilesView } from "./percentiles-view.ts";
import type { SpansView, SpanTarget } from "./spans-view.ts";
import type { SessionView } from "./session-view.ts";

/** What the configuration needs beside the plan. */
export interface RenderSettings {
  readonly version: string;
  readonly caller: string;
  /** `HOST:PORT` as HAProxy writes it. */
  readonly listen: readonly string[];
  readonly maxConnections: number;
  readonly hardStopAfter: string;
  readonly accessLog: boolean;
  /** Where latencies are told; null for nowhere. */
  readonly latencies: LatencyTarget | null;
  /** Where requests are told that become spans; null for nowhere. */
  readonly spans: SpanTarget | null;
  /** Whether requests may ask why they go where they go. */
  readonly explain: boolean;
  readonly sockets: Readonly<Record<"runtime" | "fallback" | "handover" | "stats" | "pages", string>>;
  readonly files: { readonly serverState: string };
  readonly maps: Readonly<Record<MapName | "draw", string>>;
  /** The authorities that verify `https` instances: a file, or `@system-ca`. */
  readonly caFile: string;
  readonly features: HaproxyFeatures;
  /** How much the headers of a request may have together. */
  readonly headerBytesMax: number;
  /** Names that a browser may ask for, beside loopback and services; null where other machines may ask at all. */
  readonly browserHosts: readonly string[] | null;
  /** How many spare backends there are. */
  readonly spares: number;
}

/** What a template may use; the names are stable. Every value is already escaped for where the built-in template has it. */
export interface TemplateView extends Omit<
  RenderSettings,
  "caFile" | "features" | "latencies" | "spans" | "browserHosts" | "headerBytesMax" | "spares"
> {
  /** `sherlock GENERATION`: must stand in `global` as the description, so that a reload can be verified. */
  readonly description: string;
  readonly percentiles: PercentilesView | null;
  readonly spans: SpansView | null;
  /** What of HTTP is taken, looked at and passed on. */
  readonly http: HttpRules;
  /** Words of a line; null where browsers are not looked at. */
  readonly browserHosts: string | null;
  /** The defaults of every service. */
  readonly limits: ServiceLimits;
  /** The slot of the next request to what `sc2` tracks. */
  readonly turn: string;
  readonly whenFetches: readonly FetchView[];
  readonly stickyFetches: readonly FetchView[];
  readonly sessionCookies: readonly SessionView[];
  readonly baseLengths: readonly number[];
  /** The rules of backends without a base path; null for an HAProxy in which each has its own. */
  readonly plainMapping: MappingView | null;
  readonly tcpServices: readonly { readonly service: string; readonly bind: string }[];
  readonly backends: readonly BackendView[];
}

/** A look at a request. */
export interface FetchView {
  /** A sample expression, as one word. */
  readonly fetch: string;
  /** How the key is marked in the maps. */
  readonly mark: string;
}

/** A backend as the template sees it. */
export interface BackendView {
  readonly name: string;
  readonly service: string;
  readonly isTcp: boolean;
  /** Lines for the limits that are not the default. */
  readonly settings: readonly string[];
  readonly balance: string;
  readonly hashType: string | null;
  /** Why there is no room, for its clients; null where there always is. */
  readonly whenFull: string | null;
  /** Which `defaults` section it inherits. */
  readonly defaults: "http" | "plain" | "tcp";
  /** Whether its instances speak HTTP/2 without TLS. */
  readonly clearHttp2: boolean;
  /** What `Host` says where that is all that its rules differ in from those that `defaults` has. */
  readonly hostHeader: string | null;
  /** Whether a session may choose its server. */
  readonly pinned: boolean;
  /** Its own rules; null where `defaults` has them. */
  readonly mapping: MappingView | null;
  readonly defaultServer: string;
  readonly servers: readonly ServerView[];
}

/** How paths, Host, redirects and cookies are mapped between a client and the instances of a backend. */
export interface MappingView {
  readonly name: string;
  readonly setPath: string;
  /** What `Host` says where it is not the name of the server. */
  readonly host: { readonly header: string } | null;
  /** Whether HAProxy takes `Host` from there; else each backend sets it. */
  readonly nameIsHost: boolean;
  /** A condition: the host of a redirect is the instance's own. */
  readonly ownHost: string;
  readonly location: { readonly anyHost: string; readonly path: string };
  readonly cookiePath: string;
  /** The same where the client names the service in Host, and sees the base as `/`; null where it is that anyway. */
  readonly cookiePathByHost: string | null;
}

/** A server line as the template sees it. */
export interface ServerView {
  readonly name: string;
  readonly address: string;
  readonly options: string;
}
