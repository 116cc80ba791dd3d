import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { FRAME_BYTES_MAX } from "@datawire/protocol";
import { type Clock, isLoopback, type Logger } from "@datawire/runtime";
import { WebSocketServer } from "ws";
import type { Permit } from "../access/gate.ts";
import { readLimited } from "../link/limited-reading.ts";
import { socketOf } from "../link/session/socket.ts";
import type { Originals } from "./originals.ts";
import { MdkSession, type MdkCounts } from "./session.ts";

/** Where originals connect: what `MDK_SERVER_URL` says ends in one of these. */
export const MDK_PATHS: ReadonlySet<string> = new Set(["/rtp", "/ws/v1", "/"]);

interface MdkServerDeps {
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly counts: MdkCounts;
  /** Told what the directory itself failed at, and how. */
  readonly failed: (subject: string, error: unknown) => void;
}

const TICK_MS = 1_000;
/** How long originals may take to answer the good-bye. */
const LEAVE_MS_MAX = 500;
/** No pause is longer: what waits may be an answer to a ping. */
const PAUSE_MS_MAX = 5_000;

/** The WebSockets of the original MDK. */
export class MdkServer {
  readonly #deps: MdkServerDeps;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    clientTracking: true,
  });
  readonly #open = new Set<MdkSession>();
  #cancelTick: () => void;

  constructor(deps: MdkServerDeps) {
    this.#deps = deps;
    this.#cancelTick = this.#scheduleTick();
  }

  /** Opens the connection of one that was let in, to the originals of its tenant. */
  accept(
    req: IncomingMessage,
    { stream, head }: { readonly stream: Duplex; readonly head: Buffer },
    guest: { readonly originals: Originals; readonly permit: Permit },
  ): void {
    this.#server.handleUpgrade(req, stream, head, (webSocket) => {
      const address = req.socket.remoteAddress ?? "unknown";
      const { originals, permit } = guest;
      const { relay, logs, interactions } = originals;
      const session = new MdkSession({
        socket: socketOf(webSocket, stream),
        peer: { address, local: isLoopback(address) },
        permit,
        relay,
        logs,
        interactions,
        ...this.#deps,
      });
      this.#open.add(session);
      this.#deps.counts.connected(this.#open.size);
      const left = originals.enter(session);
      const reading = readLimited(webSocket, session, {
        clock: this.#deps.clock,
        pauseMsMax: PAUSE_MS_MAX,
      });
      webSocket.on("message", (data, isBinary) => {
        if (isBinary) return session.heard();
        reading.take(data);
      });
      webSocket.on("pong", () => session.ponged());
      webSocket.on("ping", () => session.heard());
      webSocket.on("error", (error) =>
        this.#deps.log.debug("Connection of an original failed", { peer: address, error }),
      );
      webSocket.on("close", () => {
        reading.end();
        this.#open.delete(session);
        this.#deps.counts.connected(this.#open.size);
        session.closed();
        left();
      });
    });
  }

  /** Ends the connections of those whose permit no longer holds. */
  review(): void {
    for (const session of this.#open) session.review();
  }

  /** Says good-bye to every original, and cuts those that do not answer. */
  async close(): Promise<void> {
    this.#cancelTick();
    for (const session of this.#open) session.leave();
    const left = [...this.#server.clients].map((one) => new Promise((resolve) => one.once("close", resolve)));
    const waited = new AbortController();
    const cut = this.#deps.clock.sleep(LEAVE_MS_MAX, waited.signal).then(() => {
      for (const webSocket of this.#server.clients) webSocket.terminate();
    });
    await Promise.all(left);
    waited.abort();
    await cut;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #scheduleTick(): () => void {
    return this.#deps.clock.setTimer(TICK_MS, () => {
      const nowMs = this.#deps.clock.monotonicMs();
      for (const session of this.#open) session.tick(nowMs);
      this.#cancelTick = this.#scheduleTick();
    });
  }
}
