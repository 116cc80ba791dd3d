import type { StallReason } from "../core/stalls.ts";

/** One link, as `status` shows it. */
export interface LinkStatus {
  readonly address: string;
  readonly role: "sender" | "receiver";
  readonly isAttached: boolean;
  /** How many more messages may pass at present. */
  readonly credit: number;
  /** Messages that were sent and have no outcome yet, or are being handled. */
  readonly unsettled: number;
  /** How long the oldest message of a sender has waited for its outcome, in milliseconds; null where none does. */
  readonly oldestUnsettledMs: number | null;
  /** Null: it moves, or has nothing to do. */
  readonly waitsFor: StallReason | null;
}

/** What a microserver is at. */
export interface Status {
  readonly state: "connecting" | "connected" | "closed";
  /** Where the router is. */
  readonly router: string;
  /** Why there is no connection, where that is known. */
  readonly failure: string | null;
  readonly links: readonly LinkStatus[];
  readonly outbox: { readonly messages: number; readonly bytes: number };
}
