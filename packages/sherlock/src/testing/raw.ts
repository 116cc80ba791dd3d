import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** An instance that keeps each request's head as it came, and answers with bytes as they are. */
export interface RawInstance {
  readonly url: string;
  /** Heads in the order in which they came, in Latin-1, without the empty line. */
  readonly heads: string[];
  close(): void;
}

const END_OF_HEAD = "\r\n\r\n";

/** `respond` gives the whole answer to a head; by default 200 and nothing else. */
export async function startRaw(respond: (head: string) => string = () => ok()): Promise<RawInstance> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    let waiting = "";
    socket.on("data", (data) => {
      waiting += data.toString("latin1");
      for (let at = waiting.indexOf(END_OF_HEAD); at >= 0; at = waiting.indexOf(END_OF_HEAD)) {
        const head = waiting.slice(0, at);
        const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (waiting.length < at + END_OF_HEAD.length + length) return;
        waiting = waiting.slice(at + END_OF_HEAD.length + length);
        heads.push(head);
        socket.write(respond(head), "latin1");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heads,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** An answer with these header lines. */
export function ok(lines: readonly string[] = [], status = "200 OK"): string {
  return [`HTTP/1.1 ${status}`, "content-length: 0", ...lines, "", ""].join("\r\n");
}

/** Sends bytes, in Latin-1, and gives the first answer with its body; what has come when the other side ends instead. */
export function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => void socket.write(bytes, "latin1"));
    let heard = "";
    const done = (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      const at = heard.indexOf(END_OF_HEAD);
      const head = heard.slice(0, at);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const whole = bytes.startsWith("HEAD ")
        ? true
        : /^transfer-encoding: chunked/im.test(head)
          ? heard.endsWith(`0${END_OF_HEAD}`)
          : heard.length >= at + END_OF_HEAD.length + length;
      if (at >= 0 && whole) done();
    });
    socket.on("end", done);
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? done() : reject(error)));
  });
}

/** A request of one line and some headers. */
export function requestOf(line: string, ...headers: readonly string[]): string {
  return [line, ...headers, "", ""].join("\r\n");
}
