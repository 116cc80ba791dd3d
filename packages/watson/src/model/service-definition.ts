import type { ServiceProtocol } from "@datawire/protocol";
import type { Place } from "@datawire/runtime";
import type { Thresholds } from "./belief.ts";

/** One instance as a service file, or the command line, wants it to be registered and checked. */
export interface ServiceDefinition {
  /** `SERVICE@NAME`. */
  readonly key: string;
  readonly service: string;
  readonly name: string;
  readonly version: string | null;
  readonly url: string;
  readonly protocol: ServiceProtocol;
  readonly weight: number;
  readonly zone: string | null;
  readonly tags: readonly string[];
  readonly proxyPort: number | null;
  readonly drainMs: number;
  /** How its certificate is verified, by checks that go where requests go and by the traffic. */
  readonly tls: TlsCheck;
  /** The one directory that it is registered with, as `host` or `host:port`; null for all. */
  readonly directory: string | null;
  /** At least one; all must pass. */
  readonly checks: readonly Check[];
  readonly source: Place;
}

/** One check of an instance. */
export interface Check extends Thresholds {
  /** Unique among the checks of its instance, and the same for as long as the check is. */
  readonly id: string;
  readonly probe: ProbeSettings;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The pause after a failure that is not yet believed. */
  readonly recheckMs: number;
  /** What else than its turn makes a check start; see `Watch`. */
  readonly watch: Watch;
}

/**
 * What makes a check start early. `port`: a listening socket of the port comes or goes on this machine, which the
 * kernel tells without a word to the service. `connection`: a connection held open to the service closes; it sees processes that
 * `port` cannot (in containers, on other machines), at the price of one connection, which a service that handles one
 * at a time cannot spare.
 */
export const WATCHES = ["port", "connection", "none"] as const;
/** What makes a check start early: one of `WATCHES`. */
export type Watch = (typeof WATCHES)[number];

/** What one check asks, by its kind. */
export type ProbeSettings = HttpProbe | TcpProbe | GrpcProbe | AmqpProbe | ConsumersProbe | ExecProbe | TtlProbe;
/** The kinds of checks: `http`, `tcp`, `grpc`, `amqp`, `consumers`, `exec`, `ttl`. */
export type ProbeKind = ProbeSettings["kind"];

/** How a check verifies the other side of a TLS connection. */
export interface TlsCheck {
  readonly verify: boolean;
  /** The name that its certificate has to carry; null for the host itself. */
  readonly serverName: string | null;
}

/** A check over the network. */
interface NetworkProbe {
  /** Whether the check goes to the instance's own URL, and so resolves its host as HAProxy does where a name has several addresses. */
  readonly asTraffic: boolean;
}

/** A request, and what its response has to be. */
export interface HttpProbe extends NetworkProbe {
  readonly kind: "http";
  /** `http://host:port/path?query`, absolute. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Inclusive. */
  readonly status: readonly (readonly [number, number])[];
  /** A regular expression that the body has to match somewhere; null when it may be anything. */
  readonly body: string | null;
  readonly tls: TlsCheck;
  /** HTTP/2: with prior knowledge where there is no TLS. */
  readonly http2: boolean;
}

/** A connection that has to be accepted. */
export interface TcpProbe extends NetworkProbe {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
}

/** The health service of gRPC, `grpc.health.v1.Health/Check`. */
export interface GrpcProbe extends NetworkProbe {
  readonly kind: "grpc";
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls: TlsCheck;
  /** The service to ask about; "" for the server as a whole. */
  readonly service: string;
}

/** An AMQP connection that has to open and close. */
export interface AmqpProbe extends NetworkProbe {
  readonly kind: "amqp";
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls: TlsCheck;
  /** The address at which a link has to attach as well; null for the connection alone. */
  readonly address: string | null;
}

/** So many links of this machine that have to listen at the address of a service, as its router says. */
export interface ConsumersProbe {
  readonly kind: "consumers";
  /** The service, which is the address too. */
  readonly address: string;
  readonly consumers: number;
  /** The admin port of the router. */
  readonly host: string;
  readonly port: number;
}

/** Whether messages come to an instance through a router, as it has no port of its own. */
export function isThroughRouter({ checks }: Pick<ServiceDefinition, "checks">): boolean {
  return checks.some(({ probe }) => probe.kind === "consumers");
}

/** A program that has to end with code 0. */
export interface ExecProbe {
  readonly kind: "exec";
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly [string, ...string[]];
}

/** A heartbeat that the application sends itself. */
export interface TtlProbe {
  readonly kind: "ttl";
  readonly ttlMs: number;
}
