import type { WebSocket } from "ws";

/** One connection of the link, as a session uses it. */
export interface Socket {
  send(frame: Uint8Array | string, done?: () => void): void;
  /** What was sent and has not left this process. */
  readonly bufferedBytes: number;
  ping(): void;
  /** Says good-bye, with a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Cuts the connection. */
  terminate(): void;
}

/** Makes a session's socket of a WebSocket; what cannot be sent any more is dropped, as its `close` event says all. */
export function socketOf(webSocket: WebSocket): Socket {
  return {
    send: (frame, done) => webSocket.send(frame, { binary: false }, () => done?.()),
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    ping: () => webSocket.ping(),
    close: (code, reason) => webSocket.close(code, reason.slice(0, 100)),
    terminate: () => webSocket.terminate(),
  };
}
