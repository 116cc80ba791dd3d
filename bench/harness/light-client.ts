import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Opcodes of frames (RFC 6455, section 5.2). */
const TEXT = 1;
const PING = 9;
const PONG = 10;

/**
 * A WebSocket that is no more than what a measurement needs: ten thousand of them, which all hear of a change at the same
 * moment, must not take longer to read than the directory takes to write.
 */
export class LightClient {
  readonly #socket: Socket;
  readonly #onText: (payload: Buffer) => void;
  /** What came of a frame that is not whole. */
  #rest: Buffer | null = null;

  private constructor(socket: Socket, onText: (payload: Buffer) => void) {
    this.#socket = socket;
    this.#onText = onText;
  }

  /** Opens one; resolves when the server has taken the upgrade. */
  static async open(port: number, path: string, onText: (payload: Buffer) => void): Promise<LightClient> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const client = new LightClient(socket, onText);
    const upgraded = Promise.withResolvers<void>();
    let head = Buffer.alloc(0);
    const onHead = (data: Buffer): void => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", onHead);
      const status = head.toString("latin1", 0, head.indexOf("\r\n"));
      if (!status.startsWith("HTTP/1.1 101 ")) return upgraded.reject(new Error(`Cannot open ${path}: ${status}`));
      socket.on("data", (frames: Buffer) => client.#read(frames));
      upgraded.resolve();
      if (head.length > end + 4) client.#read(head.subarray(end + 4));
    };
    socket.on("data", onHead);
    socket.on("error", upgraded.reject);
    await once(socket, "connect");
    const lines = ["GET " + path + " HTTP/1.1", `Host: 127.0.0.1:${port}`, "Connection: Upgrade", "Upgrade: websocket"];
    const key = randomBytes(16).toString("base64");
    socket.write([...lines, "Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${key}`, "", ""].join("\r\n"));
    await upgraded.promise;
    return client;
  }

  send(message: object): void {
    this.#write(TEXT, Buffer.from(JSON.stringify(message)));
  }

  end(): void {
    this.#socket.destroy();
  }

  #write(opcode: number, payload: Buffer): void {
    const length = payload.length;
    const size = length < 126 ? Buffer.from([0x80 | length]) : Buffer.from([0xfe, length >> 8, length & 255]);
    // A mask of zeros leaves the payload as it is.
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), size, Buffer.alloc(4), payload]));
  }

  #read(data: Buffer): void {
    let left = this.#rest === null ? data : Buffer.concat([this.#rest, data]);
    this.#rest = null;
    while (left.length > 0) {
      const frame = frameAt(left);
      if (frame === null) {
        this.#rest = left;
        return;
      }
      const payload = left.subarray(frame.from, frame.to);
      if (frame.opcode === TEXT) this.#onText(payload);
      else if (frame.opcode === PING) this.#write(PONG, payload);
      left = left.subarray(frame.to);
    }
  }
}

/** The frame at the beginning, which no server masks; null where it is not whole. */
function frameAt(data: Buffer): { readonly opcode: number; readonly from: number; readonly to: number } | null {
  if (data.length < 2) return null;
  const opcode = (data[0] as number) & 15;
  const short = (data[1] as number) & 127;
  const from = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (data.length < from) return null;
  const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
  return data.length < from + length ? null : { opcode, from, to: from + length };
}
