import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** A client of the link, made by hand, so that it can also misbehave. */
export interface RawLink {
  readonly socket: WebSocket;
  send(message: object): void;
  /** Resolves with the first message, from now on, for which `match` is true. */
  next(match: (message: Message) => boolean): Promise<Message>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Opens a link and says hello, unless that is left out. */
export async function openRawLink(port: number, hello: Readonly<Record<string, unknown>> | null): Promise<RawLink> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/link`, { perMessageDeflate: false });
  socket.on("error", () => {}); // its `close` follows
  const waiting = new Set<(message: Message) => void>();
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString("utf8")) as Message;
    for (const take of waiting) take(message);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  const link: RawLink = {
    socket,
    send: (message) => socket.send(JSON.stringify(message)),
    next: (match) =>
      new Promise((resolve, reject) => {
        const take = (message: Message): void => {
          if (!match(message)) return;
          waiting.delete(take);
          resolve(message);
        };
        waiting.add(take);
        void closed.then(({ code, reason }) => reject(new Error(`The link was closed (${code} ${reason})`)));
      }),
    closed,
  };
  await once(socket, "open");
  if (hello === null) return link;
  const welcome = link.next(({ type }) => type === "welcome");
  link.send({ type: "hello", link: { min: 1, max: 1 }, version: "0", subscribe: null, ...hello });
  await welcome;
  return link;
}

/** A connection that knows nothing of HTTP; what it was answered is kept. */
export interface RawConnection {
  readonly socket: Socket;
  readonly answer: () => string;
  readonly closed: Promise<void>;
}

export async function openRawConnection(port: number): Promise<RawConnection> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}); // its `close` follows
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");
  return { socket, answer: () => answer, closed };
}
