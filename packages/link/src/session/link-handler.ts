import type { ClientKind, ClientMessage, DirectoryAddress, Hello } from "@datawire/protocol";
import type { ReceivedMessage } from "../core/read-message.ts";

/** Who a client is, as it says in its `hello`. */
export interface LinkIdentity {
  readonly kind: ClientKind;
  /** The caller, for a Sherlock or a library; the host, for a Watson. */
  readonly name: string;
  /** Random; kept across restarts by a Watson. */
  readonly id: string;
  /** The program's own version. */
  readonly version: string;
  /** The zone whose instances it prefers. */
  readonly zone?: string | null;
  /** Which of the tenant's tables it registers in and follows; left out for `sandbox`. */
  readonly environment?: string;
}

/** The part of the table that a client wants, and the part that it has already. */
export interface Subscription {
  /** Null for all services. */
  readonly services: readonly string[] | null;
  /** Asked before each `hello`; null asks for a snapshot. */
  have(): NonNullable<Hello["subscribe"]>["have"];
  /** The number of instances that the client holds, of the present table or an earlier one. */
  holds(): number;
}

/** What a directory says first, once it has taken a client. */
export type Welcome = Extract<ReceivedMessage, { type: "welcome" }>;
/** What a directory says after its `welcome`. */
export type LinkMessage = Exclude<ReceivedMessage, Welcome>;

/** An established link, until it is lost. */
export interface LinkSession {
  readonly replica: DirectoryAddress;
  readonly welcome: Welcome;
  /**
   * Sends a message, or returns false when the link is gone. When what was sent before does not leave, the link is cut:
   * a message left out would be a state left out, and the next connection states all of it.
   */
  send(message: Exclude<ClientMessage, Hello>): boolean;
  /** Cuts the link and opens another one, because what came over this one cannot be used. */
  reconnect(reason: string): void;
}

/** Takes what a link brings; called from the event loop, one call at a time. */
export interface LinkHandler {
  /** State everything here: the directory may have forgotten, or be another one. */
  connected(session: LinkSession): void;
  /** Called once for every `connected`. */
  disconnected(reason: string): void;
  message(message: LinkMessage): void;
}
