import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { endWithRefusal, errorBody, pathOf, sendJson } from "../exchange/answer.ts";
import { onUpgrade } from "./on-upgrade.ts";

/** The first byte of every connection of TLS: a record that holds a handshake (RFC 8446, section 5.1). */
const HANDSHAKE = 0x16;
/** For the first byte, and for each further one of a request without TLS. */
const IDLE_MS_MAX = 10_000;

/** Open to all, and asked by programs that know nothing of certificates. */
const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

const REFUSAL =
  "Cannot answer without TLS: this directory wants a token that carries its fingerprint (DATAWIRE_TOKEN, or token_file; " +
  "`dw token create` makes one), or wss:// and tls.ca where it has certificates of its operator's own";

/** Makes a server of TLS pass connections that are not of TLS to another one, by their first byte. */
export function divertPlain(secure: Server, plain: Server): void {
  const handshake = secure.listeners("connection");
  secure.removeAllListeners("connection");
  secure.on("connection", (socket: Socket) => {
    const giveUp = (): void => void socket.destroy();
    socket.setTimeout(IDLE_MS_MAX, giveUp);
    socket.on("error", giveUp);
    socket.once("readable", () => {
      const first = socket.read(1) as Buffer | null;
      if (first === null) return giveUp(); // it ended without a word
      socket.off("error", giveUp);
      socket.unshift(first);
      if (first[0] !== HANDSHAKE) return void plain.emit("connection", socket); // its timeout stays
      socket.setTimeout(0);
      socket.off("timeout", giveUp);
      for (const listener of handshake) listener.call(secure, socket);
    });
  });
}

/** Answers plain HTTP on a port of TLS: probes as ever, all else by what is wanted. */
export function createPlainAnswers(handlers: { request(req: IncomingMessage, res: ServerResponse): void }): Server {
  const server = createServer((req, res) => {
    res.shouldKeepAlive = false;
    if (PROBES.has(pathOf(req))) return handlers.request(req, res);
    sendJson(res, 401, errorBody("unauthenticated", REFUSAL), { "www-authenticate": "Bearer" });
  });
  onUpgrade(server, (_req, socket) => endWithRefusal(socket, { code: "unauthenticated", message: REFUSAL }));
  return server;
}
