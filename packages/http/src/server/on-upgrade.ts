import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/**
 * Calls `take` with each connection that asks for another protocol. Node has let go of its socket by then: one that
 * fails while nobody listens to it would end the process.
 */
export function onUpgrade(
  server: Pick<Server, "on">,
  take: (req: IncomingMessage, socket: Duplex, head: Buffer) => void,
): void {
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    take(req, socket, head);
  });
}
