import type { Clock, Logger } from "@datawire/runtime";
import type { Permit } from "../access/gate.ts";
import type { SessionRegistry } from "./session-registry.ts";
import { LinkSession, type LinkSessionConfig, type Peer } from "./session.ts";
import type { Socket } from "./socket.ts";

interface LinkSessionsDeps {
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** A connection that was let in, and who answers for its tenant. */
export interface Accepted {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly executor: SessionRegistry;
  /** Opens the table of another environment of the tenant; left out where there are none. */
  readonly environment?: (name: string) => Promise<SessionRegistry>;
  readonly permit: Permit;
}

/** The sweep that pings and finds silent clients runs this many times a heartbeat. */
const TICKS_A_HEARTBEAT = 5;

/** The links of a directory, whatever carries their frames: over WebSocket in a directory, through memory in tests. */
export class LinkSessions {
  readonly #config: LinkSessionConfig;
  readonly #deps: LinkSessionsDeps;
  readonly #open = new Set<LinkSession>();
  #cancelTick: () => void;

  constructor(config: LinkSessionConfig, deps: LinkSessionsDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#cancelTick = this.#scheduleTick();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Begins the session of a connection; whoever carries its frames says with `ended` when that is over. */
  open(accepted: Accepted): LinkSession {
    const session = new LinkSession(this.#config, { ...this.#deps, ...accepted });
    this.#open.add(session);
    return session;
  }

  /** The connection of a session has ended. */
  ended(session: LinkSession): void {
    this.#open.delete(session);
    session.closed();
  }

  /** Ends the links of those whose permit no longer holds. */
  review(): void {
    for (const session of this.#open) session.review();
  }

  /** Says good-bye to every client, and pings nobody any more. */
  leave(): void {
    this.#cancelTick();
    for (const session of this.#open) session.leave();
  }

  #scheduleTick(): () => void {
    return this.#deps.clock.setTimer(this.#config.heartbeatMs / TICKS_A_HEARTBEAT, () => {
      const nowMs = this.#deps.clock.monotonicMs();
      for (const session of this.#open) session.tick(nowMs);
      this.#cancelTick = this.#scheduleTick();
    });
  }
}
