import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Connection, type ConnectionSettings } from "@datawire/amqp";
import type { RouterUrl } from "./router-url.ts";
import type { Wire, WireEvents } from "./wire.ts";

/** How long a transport may take to be there, TLS included. */
const CONNECT_MS_MAX = 5_000;

/**
 * Connects to a router over TCP, or over TLS.
 * @param ca authorities to trust instead of the system's, PEM.
 */
export async function openSocket(
  { host, port, isTls }: Pick<RouterUrl, "host" | "port" | "isTls">,
  { ca, signal }: { readonly ca?: string | undefined; readonly signal?: AbortSignal } = {},
): Promise<Socket> {
  const trusted = ca === undefined ? {} : { ca };
  const socket = isTls ? connectTls({ host, port, servername: host, ...trusted }) : connect({ host, port });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    const give = (error: Error): void => {
      done();
      socket.on("error", () => {}); // what it says after it was given up
      socket.destroy();
      reject(error);
    };
    const stop = (): void => give(new Error("the wait for it was ended"));
    const timer = setTimeout(() => give(new Error("it does not answer")), CONNECT_MS_MAX);
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      socket.off("error", give);
    };
    if (signal?.aborted === true) return stop();
    signal?.addEventListener("abort", stop, { once: true });
    socket.once("error", give);
    socket.once(isTls ? "secureConnect" : "connect", () => {
      done();
      socket.on("error", () => {}); // `close` follows
      resolve();
    });
  });
  return socket;
}

/** Speaks AMQP over a connected socket. */
export function driveSocket(socket: Socket, settings: ConnectionSettings, events: WireEvents): Wire {
  let timer: NodeJS.Timeout | undefined;
  const outputReady = (): void => void setImmediate(write);
  const connection = new Connection(settings, { ...events, outputReady }, performance.now());
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      clearTimeout(timer);
      connection.disconnected();
      resolve();
    });
  });
  socket.on("data", (bytes: Uint8Array) => {
    connection.receive(bytes, performance.now());
    tick();
  });
  socket.on("drain", () => connection.setCongested(false));
  if (settings.role === "client") connection.start();
  tick();
  return { connection, closed, destroy: () => void socket.destroy() };

  function write(): void {
    const bytes = connection.takeOutput(performance.now());
    if (bytes !== null && !socket.write(bytes)) connection.setCongested(true);
    if (connection.done) socket.destroySoon();
  }

  function tick(): void {
    clearTimeout(timer);
    const nextMs = connection.tick(performance.now());
    if (connection.done) return write();
    if (nextMs !== null) timer = setTimeout(tick, Math.max(1, nextMs - performance.now()));
  }
}
