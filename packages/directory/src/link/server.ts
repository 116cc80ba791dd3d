import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { FRAME_BYTES_MAX } from "@datawire/protocol";
import { type Clock, isLoopback, type Logger } from "@datawire/runtime";
import { WebSocketServer } from "ws";
import type { LinkSession } from "./session/session.ts";
import type { Accepted, LinkSessions } from "./sessions.ts";
import { LinkWebSocket } from "./web-socket.ts";
import { readLimited } from "./limited-reading.ts";
import { socketOf } from "./session/socket.ts";

interface LinkServerDeps {
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** RFC 6455, section 7.4.1: the other side has met something that it did not expect. */
const FAILED = 1011;
/** The WebSockets of `/v1/link`. */
export class LinkServer {
  readonly #sessions: LinkSessions;
  readonly #deps: LinkServerDeps;
  readonly #server = new WebSocketServer({
    noServer: true,
    WebSocket: LinkWebSocket,
    // Compression would make a connection five times slower and a hundred times larger, for messages that are mostly
    // small and sent to many.
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    clientTracking: true,
  });

  constructor(sessions: LinkSessions, deps: LinkServerDeps) {
    this.#sessions = sessions;
    this.#deps = deps;
  }

  /** Opens a link for whoever was let in, with the sessions of their tenant. */
  accept(
    req: IncomingMessage,
    { stream, head }: { readonly stream: Duplex; readonly head: Buffer },
    guest: Pick<Accepted, "sessions" | "environments" | "permit">,
  ): void {
    this.#server.handleUpgrade(req, stream, head, (webSocket) => {
      const address = req.socket.remoteAddress ?? "unknown";
      const peer = { address, local: isLoopback(address) };
      const session: LinkSession = this.#sessions.open({ ...guest, socket: socketOf(webSocket, stream), peer });
      const reading = readLimited(webSocket, session, {
        clock: this.#deps.clock,
        pauseMsMax: this.#sessions.heartbeatMs,
      });
      webSocket.on("message", (data, isBinary) => {
        if (isBinary) return webSocket.close(1003, "text frames only");
        reading.take(data);
      });
      webSocket.on("pong", () => session.heard());
      webSocket.on("ping", () => session.heard());
      webSocket.on("error", (error) => this.#deps.log.debug("Link failed", { peer: address, error }));
      webSocket.on("close", (code) => {
        if (code === FAILED) session.abandoned();
        reading.end();
        this.#sessions.ended(session);
      });
    });
  }

  /** Says good-bye to every client; resolves when no connection is left. */
  async close(): Promise<void> {
    await this.#sessions.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
