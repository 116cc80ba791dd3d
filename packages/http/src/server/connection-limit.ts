import type { Server } from "node:http";
import type { Socket } from "node:net";
import { isLoopback } from "@datawire/runtime";
import { endWithRefusal } from "../exchange/answer.ts";
import { ConnectionCount } from "./connection-count.ts";

/** How many connections one address may have. */
export interface ConnectionBound {
  readonly max: number;
  /** The addresses that may have more connections. */
  readonly exempt: (address: string) => boolean;
}

/** A fifth of what all may have together, and more than the machines behind one address usually are. */
export const CONNECTION_BOUND: ConnectionBound = { max: 4_000, exempt: isLoopback };

/** How long a refusal may take to leave. */
const REFUSE_MS_MAX = 1_000;
/** By then some of the connections may have ended. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Makes servers refuse the connections of an address that has too many, before anything of them is read.
 * @param refused told of each, with the reason where it is the first one for a while.
 */
export function limitConnections({ max, exempt }: ConnectionBound, refused: (reason: string | null) => void) {
  const count = new ConnectionCount(max);
  /** @param secure whether TLS is spoken: a refusal in plain words would be no answer. */
  return (server: Server, { secure }: { readonly secure: boolean }): void => {
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      const address = socket.remoteAddress ?? "unknown";
      if (exempt(address)) return pass(socket);
      const entered = count.enter(address);
      if (entered === "taken") {
        socket.once("close", () => count.leave(address));
        return pass(socket);
      }
      const reason = `${max} connections are open from ${address}, which is the bound for one address`;
      refused(entered === "crowded" ? reason : null);
      if (secure) socket.destroy();
      else refuse(socket, `Cannot take another connection: ${reason}`);
    });
    const pass = (socket: Socket): void => {
      for (const listener of listeners) listener.call(server, socket);
    };
  };
}

function refuse(socket: Socket, message: string): void {
  socket.on("error", () => socket.destroy());
  // The request is read and dropped: closing a socket with unread bytes would lose the answer.
  socket.resume();
  endWithRefusal(socket, {
    code: "limit_exceeded",
    message,
    headers: { "retry-after": String(RETRY_AFTER_SECONDS) },
  });
  const cut = setTimeout(() => socket.destroy(), REFUSE_MS_MAX);
  socket.once("close", () => clearTimeout(cut));
}
