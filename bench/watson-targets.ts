/** The services of the bench: ports that answer 200 to anything, and note when they were asked. */
import { type AddressInfo, createServer } from "node:net";

const count = Number(process.argv[2]);
const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

let arrivals: number[][] | null = null;

const ports = await Promise.all(
  Array.from({ length: count }, (_, index) => {
    const server = createServer((socket) => {
      arrivals?.[index]?.push(performance.now());
      socket.on("error", () => {});
      socket.once("data", () => socket.end(ANSWER));
    });
    return new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
  }),
);

process.on("message", (message) => {
  if (message === "start") arrivals = Array.from({ length: count }, () => []);
  else if (message === "stop") process.send?.(arrivals);
});
process.send?.(ports);
