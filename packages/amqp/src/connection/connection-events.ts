import { CONDITION } from "../types/conditions.ts";
import type { AmqpError } from "../frames/error.ts";
import type { Open } from "../frames/performatives.ts";
import type { LinkEvents } from "../session/link-events.ts";
import type { Session } from "../session/session.ts";

/** Why a connection is no more. */
export interface ConnectionEnd {
  /** Who ended it; `transport`: it was lost. */
  readonly by: "peer" | "us" | "transport";
  /** Null: nothing was wrong. */
  readonly error: AmqpError | null;
}

/** What a connection tells whoever drives it: called while bytes or time are given, or something is asked of it. */
export interface ConnectionEvents extends LinkEvents {
  /** There is something to write: `takeOutput` has it, soon and not within this call. Called once until it was taken. */
  outputReady(): void;
  /** The peer said what it is. A server may close the connection here; its own open is on its way already. */
  opened(open: Open): void;
  sessionBegan(session: Session): void;
  /** All its links have been told of before. */
  sessionEnded(session: Session, error: AmqpError | null): void;
  /** The last event, told once; all sessions and links have been told of before. */
  closed(end: ConnectionEnd): void;
}

const ignore = (): void => {};

/** Events of which nothing follows, and that let the peer open no link: those who drive a connection say what else is to be. */
export const QUIET_EVENTS: ConnectionEvents = {
  outputReady: ignore,
  opened: ignore,
  sessionBegan: ignore,
  sessionEnded: ignore,
  linkAsked: (link) => link.refuse({ condition: CONDITION.notAllowed }),
  linkAttached: ignore,
  linkDetached: ignore,
  flow: ignore,
  outcome: ignore,
  delivered: ignore,
  settled: ignore,
  senderFlow: ignore,
  closed: ignore,
};
