import { FRAME_BYTES_MAX } from "@datawire/protocol";
import { WebSocket } from "ws";

/** RFC 6455, section 7.4.1. */
const TOO_BIG = 1009;

/** A WebSocket that says which bound a frame has broken: `ws` closes with the code alone. */
export class LinkWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const bound = `a frame may have ${FRAME_BYTES_MAX} bytes at the most`;
    super.close(code, code === TOO_BIG && reason === undefined ? bound : reason);
  }
}
