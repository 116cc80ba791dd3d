import type { Group } from "./group.ts";

/** An instance of a service on this machine: whatever is asked, it answers with its name. */
export interface Backend {
  readonly service: string;
  readonly name: string;
  readonly port: number;
  /** The version that a share of the requests goes to; the others are of the usual one. */
  readonly isNew?: boolean;
}

/** What a peer is measured with. */
export interface World {
  /** A folder of its own, which is there. */
  readonly folder: string;
  readonly group: Group;
  /** Paths of programs by name, from the command line or PATH; null for what is not there. */
  readonly find: (program: string) => string | null;
  /** A port that nothing listens on. */
  readonly port: () => Promise<number>;
}

/** How requests get to a service. */
export interface Route {
  readonly origin: string;
  readonly path: string;
  readonly host?: string;
}

/** A registry, checks and a proxy, as they run. */
export interface Running {
  /** What runs on each machine: its memory and CPU are measured. */
  readonly pids: readonly number[];
  /** What runs somewhere else, and goes away in an outage; none where there is no registry. */
  readonly registry: number | null;
  route(service: string): Route;
  /** Makes instances known, of services that are there or not: what an operator or a deployment would do. */
  add(backends: readonly Backend[]): Promise<void>;
  /** Sends so many percent of a service's requests to its new version; undefined where it cannot. */
  share?(service: string, percent: number): Promise<void>;
}

/** What is measured beside the others. */
export interface Peer {
  readonly name: string;
  /** The programs that it needs. */
  readonly programs: readonly string[];
  /** Starts what is elsewhere; what is measured as a start begins afterwards. */
  prepare(world: World): Promise<{ start(backends: readonly Backend[]): Promise<Running> }>;
}
