import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Connection, type ConnectionSettings } from "@datawire/amqp";
import { Alarm } from "./alarm.ts";
import type { RouterUrl } from "./router-url.ts";
import type { Wire, WireEvents } from "./wire.ts";

/** What a router is believed by, over TLS. */
export interface RouterTrust {
  readonly ca?: string | undefined;
  readonly fingerprint?: string | null;
}

/** A certificate of our own with its key, PEM, for whoever wants one of its clients. */
export interface OwnCertificate {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** How long a transport may take to be there, TLS included. */
const CONNECT_MS_MAX = 5_000;

/**
 * Connects to a router over TCP, or over TLS.
 * @param ca authorities to trust instead of the system's, PEM.
 * @param fingerprint of the authority of a directory, as tokens name it: where there is no `ca`, what that has signed for a
 * router is believed too, whatever its name.
 */
export async function openSocket(
  { host, port, isTls }: Pick<RouterUrl, "host" | "port" | "isTls">,
  {
    ca,
    fingerprint = null,
    cert,
    key,
    signal,
  }: RouterTrust & OwnCertificate & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Socket> {
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  if (isTls && ca === undefined && fingerprint !== null) {
    // Whoever needs none of it does not load it.
    const { connectRouter } = await import("@datawire/link/client");
    const known = await connectRouter({ host, port }, fingerprint, { signal, ...own });
    known.setNoDelay(true);
    known.on("error", () => {}); // `close` follows
    return known;
  }
  const trusted = ca === undefined ? {} : { ca };
  const socket = isTls ? connectTls({ host, port, servername: host, ...trusted, ...own }) : connect({ host, port });
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
  const alarm = new Alarm(tick);
  const outputReady = (): void => void setImmediate(write);
  const connection = new Connection(settings, { ...events, outputReady }, performance.now());
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      alarm.clear();
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
    const nextMs = connection.tick(performance.now());
    if (connection.done) return write();
    alarm.set(nextMs);
  }
}
