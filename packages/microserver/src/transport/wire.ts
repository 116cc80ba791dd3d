import type { Connection, ConnectionEvents, ConnectionSettings } from "@datawire/amqp";

/** A connection that bytes go through. */
export interface Wire {
  readonly connection: Connection;
  /** Resolves when the transport is closed, whoever did it. */
  readonly closed: Promise<void>;
  /** Closes the transport at once. */
  destroy(): void;
}

/** What a connection tells, but for what its driver does itself. */
export type WireEvents = Omit<ConnectionEvents, "outputReady">;

/** Opens a transport and begins to speak on it; rejects where nothing answers. */
export type Dial = (settings: ConnectionSettings, events: WireEvents, signal: AbortSignal) => Promise<Wire>;
