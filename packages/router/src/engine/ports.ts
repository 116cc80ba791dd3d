import type { StallReason } from "@datawire/protocol";
import type { From } from "../address/from.ts";
import type { ConsumerPort, Outcome } from "../queue/delivery.ts";
import type { MessageKeys } from "../log/record.ts";
import type { Condition } from "./refused.ts";

/** A message that a sender brings. */
export interface Incoming {
  /** All sections as they came; only during the call. */
  readonly payload: Uint8Array;
  /** 0 for a message that does not expire. */
  readonly ttlMs: number;
  /** Milliseconds since 1970 at which it ends in any case; left out for never. */
  readonly expiresAtMs?: number;
  readonly keys: MessageKeys | null;
}

/** What becomes of a message at once; null where it is accepted later, when it is safe. */
export type Verdict =
  | null
  | { readonly outcome: "rejected"; readonly condition: Condition; readonly description: string }
  | { readonly outcome: "released" };

/** What a message takes beside its bytes, in the log and in memory. */
export const MESSAGE_OVERHEAD_BYTES = 200;

/** Memory that several share. */
export interface Room {
  /** Takes bytes; false, and nothing taken, where there are not so many left. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** The link of a sender; `Token` is what its messages are known by there. */
export interface SinkPort<Token> {
  /** How many messages it may send now. */
  readonly credit: number;
  setCredit(credit: number): void;
  /** Who sends, as routes know it; null, as where it is left out, for anybody. */
  readonly caller?: string | null;
  /** For messages that wait for a consumer, of a link whose credit is that of no address; left out where credit bounds them. */
  readonly room?: Room;
  /** These messages are safe. */
  accepted(tokens: readonly Token[]): void;
  /** A message that was held back until the disk could take it is refused after all. */
  declined(token: Token, verdict: Exclude<Verdict, null>): void;
  /** A consumer's word for a message that was handed straight to it. */
  settled(token: Token, outcome: Outcome): void;
  /** The address is no more. */
  gone(condition: Condition, description: string): void;
}

/** A sender's end of an address. */
export interface Sink<Token> {
  readonly name: string;
  /** Whether the ids of messages count. */
  readonly wantsIds: boolean;
  /** Whether nothing is taken now: it is for those who cannot wait to be given credit. */
  readonly isClosed: boolean;
  /** Whether its address was removed. */
  readonly isGone: boolean;
  /** Why its sender has no credit, if it has none; null or left out where no reason is known. */
  readonly reason?: StallReason | null;
  offer(message: Incoming, token: Token): Verdict;
  /** Says anew what the sender may send: after a message, or what its port was told. */
  refresh(): void;
  detach(): void;
}

/**
 * What keeps messages from a consumer that gives credit: the window of its session or its socket, the number of its
 * unsettled messages, that its version is held, or that the disk cannot take what it has rejected.
 */
export type HeldBack = "window" | "unsettled-limit" | "held" | "disk-full";

/** A version and an instance of a service, as a consumer says them. */
export interface Member {
  /** The name of the instance; several links may be one. */
  readonly instance: string;
  readonly version: string | null;
}

/** The link of a consumer. */
export interface SourcePort extends ConsumerPort {
  /** Null for nothing. */
  readonly heldBackBy?: HeldBack | null;
  /** Which instance of a service it is; null, as where it is left out, for none. */
  readonly member?: Member | null;
  /** Whether it comes from the machine of the router; not, where it is left out. */
  readonly isLocal?: boolean;
  /** How many messages it has and has not settled. */
  readonly unsettled?: number;
  /** How many messages it takes now. */
  readonly credit: number;
  /** The address is no more. */
  gone(condition: Condition, description: string): void;
  /** Another link has what this one had, which is kept. */
  stolen(description: string): void;
}

/** A consumer's end of an address. */
export interface Source {
  readonly name: string;
  /** Whether it gets nothing, as its version is held. */
  readonly isHeld?: boolean;
  /** Whether it gets nothing, as the disk takes no dead letters and many that it has rejected wait; left out for not. */
  readonly isBurying?: boolean;
  /** Whether what it gives has an offset. */
  readonly isTopic: boolean;
  /** How many messages it has not been given; null where nothing is kept. */
  readonly lag: number | null;
  /** The consumer wants more, or has less to do. */
  pump(): void;
  /**
   * Takes its outcome for a message.
   * @param confirmed called when it is safe.
   */
  settle(sequence: number, outcome: Outcome, confirmed?: () => void): void;
  /** @param isClosed whether what is kept for it may go. */
  detach(isClosed: boolean): void;
}

/** What a consumer asks for. */
export interface SourceRequest {
  readonly name: string;
  readonly capability: "queue" | "topic" | null;
  /** Where in a topic to begin; null where it does not say. */
  readonly from: From | null;
  /** By whom its subscription is kept; null where that ends with the link. */
  readonly subscription: string | null;
  /** What a subscription that is kept takes; null, as where it is left out, for everything. */
  readonly selector?: string | null;
  /** Of a queue: whether messages stay where they are. */
  readonly isCopy: boolean;
}
