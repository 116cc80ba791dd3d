import type { Clock, Logger } from "@datawire/runtime";
import type { RouterAccess } from "../feed/access-stream.ts";
import type { Permit } from "../access/gate.ts";
import type { LinkEnvironments } from "./session/placement.ts";
import type { Certifier } from "../access/routers/certifier.ts";
import type { SessionRegistry } from "./clients/session-registry.ts";
import type { Peer } from "./session/peer.ts";
import { LinkSession, type LinkSessionConfig } from "./session/session.ts";
import type { Socket } from "./session/socket.ts";

interface LinkSessionsDeps {
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** A connection that was let in, and the sessions of its tenant. */
export interface Accepted {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly sessions: SessionRegistry;
  /** The other environments of the tenant; left out where there are none. */
  readonly environments?: LinkEnvironments;
  readonly permit: Permit;
}

/** Who may send and receive at a router that was let in by this. */
type AccessSource = (grant: Permit["grant"]) => RouterAccess;

/** What all links of a directory have in common. */
export interface LinkSessionsConfig {
  /** The directory's own address. */
  readonly directory: string;
  /** A client that is silent for so long is taken to be gone. */
  readonly leaseMs: number;
}

/** A client hears something three times a lease. */
const HEARTBEATS_A_LEASE = 3;
/** The sweep that pings and finds silent clients runs this many times a heartbeat. */
const TICKS_A_HEARTBEAT = 5;
/** How long clients may take to answer the good-bye. */
const LEAVE_MS_MAX = 1_000;

/** The links of a directory, whatever carries their frames: over WebSocket in a directory, through memory in tests. */
export class LinkSessions {
  readonly #config: LinkSessionConfig;
  readonly #deps: LinkSessionsDeps;
  readonly #open = new Set<LinkSession>();
  readonly #emptied = new AbortController();
  #leaving = false;
  #access: AccessSource | null = null;
  #certifier: Certifier | null = null;
  #cancelTick: () => void;

  constructor({ directory, leaseMs }: LinkSessionsConfig, deps: LinkSessionsDeps) {
    this.#config = { directory, leaseMs, heartbeatMs: Math.max(1, Math.round(leaseMs / HEARTBEATS_A_LEASE)) };
    this.#deps = deps;
    this.#cancelTick = this.#scheduleTick();
  }

  get heartbeatMs(): number {
    return this.#config.heartbeatMs;
  }

  /** Begins the session of a connection; whoever carries its frames says with `ended` when that is over. */
  open(accepted: Accepted): LinkSession {
    const { grant } = accepted.permit;
    const access = (): RouterAccess | null => this.#access?.(grant) ?? null;
    const session = new LinkSession(this.#config, { ...this.#deps, ...accepted, access, certifier: this.#certifier });
    this.#open.add(session);
    return session;
  }

  /** The connection of a session has ended. */
  ended(session: LinkSession): void {
    this.#open.delete(session);
    session.closed();
    if (this.#leaving && this.#open.size === 0) this.#emptied.abort();
  }

  /** What routers are told of who may send and receive, from now on. */
  tellAccess(access: AccessSource): void {
    this.#access = access;
  }

  /** Who signs certificates for routers, from now on. */
  certifyWith(certifier: Certifier): void {
    this.#certifier = certifier;
  }

  /** Ends the links of those whose permit no longer holds, and tells routers whose does. */
  review(): void {
    for (const session of this.#open) session.review();
  }

  /** Says good-bye to every client, pings nobody any more, and cuts those that do not answer. */
  async close(): Promise<void> {
    this.#cancelTick();
    this.#leaving = true;
    for (const session of this.#open) session.leave();
    if (this.#open.size > 0) await this.#deps.clock.sleep(LEAVE_MS_MAX, this.#emptied.signal);
    for (const session of this.#open) session.cut();
  }

  #scheduleTick(): () => void {
    return this.#deps.clock.setTimer(this.#config.heartbeatMs / TICKS_A_HEARTBEAT, () => {
      const nowMs = this.#deps.clock.monotonicMs();
      for (const session of this.#open) session.tick(nowMs);
      this.#cancelTick = this.#scheduleTick();
    });
  }
}
