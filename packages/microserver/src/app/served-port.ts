import type { Draft, Identity } from "../core/message.ts";
import type { Work } from "./inbox.ts";
import type { Listener } from "./listening.ts";

/** How an address is served. */
export interface ServeOptions {
  /** Default: any that is free. */
  readonly port?: number;
  /** Where to take links: a host of this machine, or with `tls` any. Default: `127.0.0.1`. */
  readonly host?: string;
  /** How many messages are handled at a time. Default: 10. */
  readonly concurrency?: number;
  /** Certificate and key, PEM; with authorities of clients, whoever has no certificate of theirs is not let in. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /**
   * Whether somebody may send here with a password or token, which come over TLS or from this machine alone. Default: whoever
   * reaches the port may. A router knows none, so that with it only those come who go to the instance themselves.
   */
  readonly allow?: (user: string, password: string) => boolean | Promise<boolean>;
  /** Unique within the service. Default: that of the microserver, else `HOST-PORT`. */
  readonly instance?: string;
  readonly tags?: readonly string[];
  /** Ends the wait, and closes the port. */
  readonly signal?: AbortSignal;
  /** False where Watson registers it. Default: true. */
  readonly isRegistered?: boolean;
}

/** A port of our own that is open. */
export interface ServedPort extends Listener {
  /** Gives up what is being handled. */
  abandon(): void;
  onClosed: () => void;
}

/** Sends an answer over the connection of whoever asked; false where its place for answers is elsewhere. */
export type AnswerHere = (replyTo: string, draft: Draft, identity: Identity) => boolean;

/** Opens a port for an address. @throws MicroserverError */
export type Serve = (
  at: string,
  work: (answer: AnswerHere) => Work,
  options: ServeOptions,
  self: { readonly container: string; newId(): string },
) => Promise<ServedPort>;
