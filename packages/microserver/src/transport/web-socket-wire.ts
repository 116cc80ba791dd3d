import { Connection, type ConnectionSettings, WEBSOCKET_PROTOCOL } from "@datawire/amqp";
import { Alarm } from "./alarm.ts";
import type { Wire, WireEvents } from "./wire.ts";

/** How long a WebSocket may take to open. */
const CONNECT_MS_MAX = 5_000;
/** Bytes of a message of a WebSocket: what a router takes in any case. */
const MESSAGE_BYTES_MAX = 65_536;
/** Bytes that the WebSocket holds above which no message is added. */
const BUFFERED_BYTES_MAX = 1_048_576;
/** How often that is looked at while it is so: a WebSocket does not tell. */
const LOOK_MS = 20;

/** Opens a WebSocket that carries AMQP. */
export function openWebSocket(url: string, signal?: AbortSignal): Promise<WebSocket> {
  const socket = new WebSocket(url, WEBSOCKET_PROTOCOL);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      socket.removeEventListener("open", opened);
      socket.removeEventListener("close", closed);
    };
    const give = (why: string): void => {
      done();
      socket.close();
      reject(new Error(why));
    };
    const stop = (): void => give("the wait for it was ended");
    // A browser tells no page why.
    const closed = (): void => give("it does not answer, or refuses");
    const opened = (): void => {
      done();
      resolve(socket);
    };
    const timer = setTimeout(() => give("it does not answer"), CONNECT_MS_MAX);
    if (signal?.aborted === true) return stop();
    signal?.addEventListener("abort", stop, { once: true });
    socket.addEventListener("open", opened);
    socket.addEventListener("close", closed);
  });
}

/** Speaks AMQP over an open WebSocket. */
export function driveWebSocket(socket: WebSocket, settings: ConnectionSettings, events: WireEvents): Wire {
  const alarm = new Alarm(tick);
  let isCongested = false;
  // Not a timer: those of a page in the background come once a second.
  const outputReady = (): void => queueMicrotask(write);
  const connection = new Connection(settings, { ...events, outputReady }, performance.now());
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener("close", () => {
      alarm.clear();
      connection.disconnected();
      resolve();
    });
  });
  socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    if (!(data instanceof ArrayBuffer)) return socket.close();
    connection.receive(new Uint8Array(data), performance.now());
    tick();
  });
  connection.start();
  tick();
  return { connection, closed, destroy: () => socket.close() };

  function write(): void {
    const bytes = connection.takeOutput(performance.now());
    if (bytes !== null && socket.readyState === WebSocket.OPEN) {
      for (let from = 0; from < bytes.length; from += MESSAGE_BYTES_MAX)
        socket.send(bytes.slice(from, from + MESSAGE_BYTES_MAX));
      look();
    }
    if (connection.done) socket.close();
  }

  function look(): void {
    if (isCongested || socket.bufferedAmount < BUFFERED_BYTES_MAX) return;
    isCongested = true;
    connection.setCongested(true);
    const again = (): void => {
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount >= BUFFERED_BYTES_MAX)
        return void setTimeout(again, LOOK_MS);
      isCongested = false;
      connection.setCongested(false);
    };
    setTimeout(again, LOOK_MS);
  }

  function tick(): void {
    const nextMs = connection.tick(performance.now());
    if (connection.done) return write();
    alarm.set(nextMs);
  }
}
