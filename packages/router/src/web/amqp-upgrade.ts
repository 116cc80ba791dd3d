import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WEBSOCKET_PROTOCOL } from "@datawire/amqp";
import { endWithRefusal } from "@datawire/http";
import { createWebSocketStream, WebSocket, WebSocketServer } from "ws";
import type { Peers } from "../wire/listener.ts";
import { Peer, type PeerDeps } from "../wire/peer.ts";

/** What connections over WebSocket are bounded by. */
export interface UpgradeConfig {
  /** Connections of all ports. */
  readonly connectionsMax: number;
  /** Bytes of a message of a WebSocket, which has any number of frames, or a part of one. */
  readonly messageBytesMax: number;
}

/** RFC 6455, section 7.4.1. */
const UNSUPPORTED = 1003;
const TOO_BIG = 1009;
/** How long a client has to answer the end of its WebSocket. */
const CLOSE_MS_MAX = 2_000;
/** Bytes that may come before AMQP is open (section 7), in the frames of WebSocket. */
const OPEN_BYTES_MAX = 12_000;
/** Answers to pings that a client does not read. */
const PONG_BYTES_MAX = 65_536;

/** Makes connections of AMQP of WebSockets that ask for the subprotocol `amqp`. */
export class AmqpUpgrade {
  readonly #config: UpgradeConfig;
  readonly #deps: PeerDeps;
  readonly #peers: Peers;
  readonly #mine = new Set<Peer>();
  readonly #server: WebSocketServer;

  constructor(config: UpgradeConfig, deps: PeerDeps, peers: Peers) {
    this.#config = config;
    this.#deps = deps;
    this.#peers = peers;
    const { messageBytesMax } = config;
    const options = {
      noServer: true,
      WebSocket: class extends WebSocket {
        /** By itself it closes with the code alone. */
        override close(code?: number, reason?: string | Buffer): void {
          const bound = `a message may have ${messageBytesMax} bytes at the most (limits.websocket)`;
          super.close(code, code === TOO_BIG && reason === undefined ? bound : reason);
        }
      },
      // What is mostly small would take five times the time, and 100 kB for each connection.
      perMessageDeflate: false,
      maxPayload: messageBytesMax,
      clientTracking: false,
      autoPong: false,
      handleProtocols: () => WEBSOCKET_PROTOCOL,
      closeTimeout: CLOSE_MS_MAX,
    };
    this.#server = new WebSocketServer(options);
  }

  /** Takes a request for a WebSocket, or refuses it. */
  take(req: IncomingMessage, stream: Duplex, head: Buffer): void {
    const refusal = whyNot(req);
    if (refusal !== null) return endWithRefusal(stream, { code: "invalid_argument", message: refusal });
    if (this.#peers.size >= this.#config.connectionsMax) {
      const message = `Cannot take the connection: there are ${this.#config.connectionsMax} (limits.connections)`;
      return endWithRefusal(stream, { code: "limit_exceeded", message, status: 503 });
    }
    const { socket } = req;
    const identity = this.#identityOf(req);
    if (identity === undefined) {
      const headers = { "www-authenticate": "Bearer" };
      return endWithRefusal(stream, { code: "unauthenticated", message: "Cannot authenticate", headers });
    }
    this.#server.handleUpgrade(req, socket, head, (webSocket) => this.#opened(webSocket, socket, identity));
  }

  /** Ends all connections; those that do not end by themselves are cut. */
  async close(): Promise<void> {
    for (const peer of this.#mine) peer.close("The router stops");
    if (this.#mine.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#deps.clock.setTimer(CLOSE_MS_MAX, () => {
        for (const peer of this.#mine) peer.destroy();
      });
      this.#emptied = () => {
        cancel();
        resolve();
      };
    });
  }

  #emptied: () => void = () => {};

  /**
   * Who the token of a request is; null where SASL has to say it, as for pages, which can send no such header; undefined
   * for a token that does not hold.
   */
  #identityOf({ headers: { authorization } }: IncomingMessage): string | null | undefined {
    const { access } = this.#deps;
    if (authorization === undefined || !access.isAsked) return null;
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    return token === undefined ? undefined : access.verify(token)?.identity;
  }

  #opened(webSocket: WebSocket, socket: Socket, identity: string | null): void {
    webSocket.on("message", (_, isBinary) => {
      if (!isBinary) webSocket.close(UNSUPPORTED, "binary messages only");
    });
    webSocket.on("ping", (data) => {
      if (webSocket.bufferedAmount > PONG_BYTES_MAX) webSocket.terminate();
      else webSocket.pong(data);
    });
    const stream = createWebSocketStream(webSocket);
    const peer = new Peer(socket, this.#deps, { stream, identity });
    // By itself it would wait for our end too.
    stream.on("end", () => stream.destroy());
    this.#boundOpening(peer, webSocket, socket);
    this.#peers.add(peer);
    this.#mine.add(peer);
    stream.on("close", () => {
      this.#peers.delete(peer);
      this.#mine.delete(peer);
      if (this.#mine.size === 0) this.#emptied();
    });
  }

  /** What is not whole yet is kept by the WebSocket, where the engine of AMQP cannot count it. */
  #boundOpening(peer: Peer, webSocket: WebSocket, socket: Socket): void {
    let bytes = 0;
    const count = (chunk: Buffer): void => {
      if (peer.isOpen) return void socket.off("data", count);
      bytes += chunk.length;
      if (bytes > OPEN_BYTES_MAX) webSocket.terminate();
    };
    socket.on("data", count);
  }
}

function whyNot({ method, headers }: IncomingMessage): string | null {
  if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket")
    return `Cannot change to ${JSON.stringify(headers.upgrade ?? "")}: wanted websocket`;
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  if (offered.includes(WEBSOCKET_PROTOCOL)) return null;
  return `Cannot take the WebSocket: wanted the subprotocol ${WEBSOCKET_PROTOCOL}`;
}
