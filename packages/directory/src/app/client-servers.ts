import type { Clock, Logger } from "@datawire/runtime";
import { LinkServer } from "../link/server.ts";
import { LinkSessions } from "../link/sessions.ts";
import { MdkServer } from "../mdk/server.ts";
import type { MdkCounts } from "../mdk/session.ts";

interface ClientServersConfig {
  /** The directory's own address, `//host/directory`. */
  readonly address: string;
  readonly leaseMs: number;
}

interface ClientServersDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counts: MdkCounts;
  /** Told what went wrong with clients of the original MDK, and with which. */
  readonly originalsFailed: (subject: string, error: unknown) => void;
}

/** What serves those who stay connected, each by its own protocol. */
export class ClientServers {
  /** Links, whatever carries their frames. */
  readonly sessions: LinkSessions;
  readonly links: LinkServer;
  /** Clients of the original MDK. */
  readonly originals: MdkServer;

  constructor({ address, leaseMs }: ClientServersConfig, { clock, log, counts, originalsFailed }: ClientServersDeps) {
    this.sessions = new LinkSessions({ directory: address, leaseMs }, { clock, log });
    this.links = new LinkServer(this.sessions, { clock, log });
    this.originals = new MdkServer({ clock, log, counts, failed: originalsFailed });
  }

  /** Ends who may no longer be connected, once tokens have changed. */
  review(): void {
    this.sessions.review();
    this.originals.review();
  }

  /** Takes leave of all clients; resolves when no connection is left. */
  async close(): Promise<void> {
    await Promise.all([this.links.close(), this.originals.close()]);
  }
}
