import type { Duplex } from "node:stream";
import { WebSocket } from "ws";

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

/**
 * Makes a session's socket of a WebSocket; what cannot be sent any more is dropped, as its `close` event says all.
 * @param stream what the WebSocket, which neither compresses nor fragments what it sends, writes to.
 */
export function socketOf(webSocket: WebSocket, stream: Duplex): Socket {
  return {
    send(frame, done) {
      // Most of what a change costs is its sending to thousands: they share the bytes, and each is one write.
      const bytes = done === undefined && webSocket.readyState === WebSocket.OPEN ? framed(frame) : null;
      if (bytes !== null) stream.write(bytes);
      else webSocket.send(frame, { binary: false }, () => done?.());
    },
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    ping: () => webSocket.ping(),
    close: (code, reason) => webSocket.close(code, reason.slice(0, 100)),
    terminate: () => webSocket.terminate(),
  };
}

/** Longer ones are not copied behind a header. */
const COPIED_BYTES_MAX = 65_535;
/** FIN, and the opcode of a text (RFC 6455, section 5.2). */
const WHOLE_TEXT = 0x81;
const TWO_BYTES_FOLLOW = 126;

let last: { readonly text: Uint8Array | string; readonly bytes: Buffer } | null = null;

/**
 * The bytes of a WebSocket frame with a text, as a server sends it; the same for whoever is sent that text next. Null for
 * one that is too long to be copied.
 */
function framed(text: Uint8Array | string): Buffer | null {
  if (last?.text === text) return last.bytes;
  const length = typeof text === "string" ? Buffer.byteLength(text) : text.length;
  if (length > COPIED_BYTES_MAX) return null;
  const isShort = length < TWO_BYTES_FOLLOW;
  const from = isShort ? 2 : 4;
  const bytes = Buffer.allocUnsafe(from + length);
  bytes[0] = WHOLE_TEXT;
  bytes[1] = isShort ? length : TWO_BYTES_FOLLOW;
  if (!isShort) bytes.writeUInt16BE(length, 2);
  if (typeof text === "string") bytes.write(text, from);
  else bytes.set(text, from);
  last = { text, bytes };
  return bytes;
}
