import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { systemErrorCode } from "@datawire/runtime";

/**
 * Tries to listen, and says why it cannot; null when it can. HAProxy must not find out by itself: a reload that meets a
 * taken port refuses all connections for two seconds.
 */
export function tryListen(host: string, port: number): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** In a few words, for a service that asked for the port. */
export function explainTaken(error: Error): string {
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return "another process has it";
    case "EACCES":
      return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    default:
      return error.message;
  }
}

/** Whether the machine has `::1`. */
export function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"));
}
