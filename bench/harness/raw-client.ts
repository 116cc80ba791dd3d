import { type Socket, connect } from "node:net";
import { WebSocket } from "ws";

/** A connection to a directory that is counted, and reads nothing of what comes: a thousand of them cost little. */
export interface RawClient {
  send(message: object): void;
  end(): void;
  /** Forgets what was counted so far. */
  reset(): void;
  readonly messages: number;
  readonly pings: number;
  /** Bytes of TCP, from the directory and to it. */
  readonly received: number;
  readonly sent: number;
}

/** Who opens a connection; further fields go into its `hello`. */
interface Identity {
  readonly kind: string;
  readonly name: string;
}

/** Opens a link; resolves once the directory has said welcome. */
export function openClient(port: number, identity: Identity, onText: (text: string) => void): Promise<RawClient> {
  let tcp: Socket | null = null;
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/v1/link`, {
    perMessageDeflate: false,
    createConnection: () => (tcp = connect({ host: "127.0.0.1", port, noDelay: true })),
  });
  const hello = { type: "hello", link: { min: 1, max: 1 }, id: `bench-of-${identity.name}`, version: "0", ...identity };
  let messages = 0;
  let pings = 0;
  let before = { received: 0, sent: 0 };
  const count = () => ({ received: tcp?.bytesRead ?? 0, sent: tcp?.bytesWritten ?? 0 });
  const client: RawClient = {
    send: (message) => webSocket.send(JSON.stringify(message)),
    end: () => webSocket.terminate(),
    reset() {
      messages = 0;
      pings = 0;
      before = count();
    },
    get messages() {
      return messages;
    },
    get pings() {
      return pings;
    },
    get received() {
      return count().received - before.received;
    },
    get sent() {
      return count().sent - before.sent;
    },
  };
  return new Promise((resolve, reject) => {
    webSocket.once("open", () => webSocket.send(JSON.stringify(hello)));
    webSocket.once("error", reject);
    webSocket.on("ping", () => (pings += 1));
    webSocket.on("message", (data: Buffer) => {
      messages += 1;
      const text = data.toString("utf8");
      if (text.startsWith('{"type":"welcome"')) resolve(client);
      onText(text);
    });
  });
}
