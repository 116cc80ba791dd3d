import type { Hello } from "@datawire/protocol";
import { Feed } from "./core/feed.ts";
import type { Position } from "./core/revisions.ts";
import type { Socket } from "./io/socket.ts";
import type { Publisher } from "./publisher.ts";

/** A client's subscription to the table, until it ends. */
export interface Subscription {
  /** What the client was sent. */
  readonly position: Position;
  end(): void;
}

/** What may wait to leave for one subscriber. Past it the subscriber is slow, and what it lacks waits in the log instead. */
const BUFFERED_BYTES_MAX = 2 * 1024 * 1024;

interface SubscriptionDeps {
  readonly source: Publisher;
  readonly socket: Socket;
}

/** Sends a client the table, and what changes of it, no faster than the client takes it. */
export function subscribe(
  { source, socket }: SubscriptionDeps,
  { have }: NonNullable<Hello["subscribe"]>,
  nowMs: number,
): Subscription {
  source.flush();
  const feed = new Feed(source, have, nowMs);
  let waiting = false;
  let ended = false;
  const pump = (): void => {
    while (!ended && !waiting) {
      const frame = feed.next();
      if (frame === null) return;
      waiting = socket.bufferedBytes + frame.length > BUFFERED_BYTES_MAX;
      // Only a frame that fills the buffer is waited for; the others need no word that they have left.
      if (!waiting) socket.send(frame);
      else
        socket.send(frame, () => {
          waiting = false;
          pump();
        });
    }
  };
  const unsubscribe = source.subscribe({ pump });
  pump();
  return {
    get position() {
      return { epoch: source.log.epoch, revision: feed.revision };
    },
    end: () => {
      ended = true;
      unsubscribe();
    },
  };
}
