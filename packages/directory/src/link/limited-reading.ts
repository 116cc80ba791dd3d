import type { Clock } from "@datawire/runtime";
import type { RawData, WebSocket } from "ws";
import { createRateLimiter } from "./rate-limiter.ts";

/** A session, as the connection that brings its frames knows it. */
interface ReadingSession {
  /** Takes one frame. */
  receive(text: string): void;
  /** Says whether the connection is read; while it is not, its silence says nothing. */
  listen(listens: boolean): void;
}

/** How the text frames of a connection come to its session. */
export interface LimitedReading {
  /** Hands one frame to the session, and pauses the connection where its frames take too much time. */
  take(data: RawData): void;
  /** The connection has ended. */
  end(): void;
}

/** Reads a WebSocket for a session, no faster than `createRateLimiter` allows. */
export function readLimited(
  webSocket: WebSocket,
  session: ReadingSession,
  config: { readonly clock: Clock; readonly pauseMsMax: number },
): LimitedReading {
  const rateLimiter = createRateLimiter(
    {
      pause() {
        webSocket.pause();
        session.listen(false);
      },
      resume() {
        webSocket.resume();
        session.listen(true);
      },
    },
    config,
  );
  return {
    take(data) {
      const before = process.cpuUsage();
      // With the default binaryType, ws gives every message as one Buffer.
      session.receive((data as Buffer).toString("utf8"));
      const { user, system } = process.cpuUsage(before);
      rateLimiter.worked((user + system) / 1_000);
    },
    end: () => rateLimiter.end(),
  };
}
