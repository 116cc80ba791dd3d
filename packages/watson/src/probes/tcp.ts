import { connect } from "node:net";
import type { TcpProbe } from "../model/service-definition.ts";
import { PASS } from "./expectation.ts";
import type { Network, Prober } from "./prober.ts";
import { failure } from "./reason.ts";

/** Makes the prober that passes when a connection can be opened; it says nothing over it. */
export function createTcpProber({ host, port }: TcpProbe, { lookup, note }: Network): Prober {
  const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return {
    probe: (signal) =>
      new Promise((resolve) => {
        const socket = connect({ host, port, lookup });
        const abort = (): void => void socket.destroy();
        signal.addEventListener("abort", abort, { once: true });
        const end = (probe: Awaited<ReturnType<Prober["probe"]>>): void => {
          signal.removeEventListener("abort", abort);
          socket.destroy();
          resolve(probe);
        };
        socket.once("connect", () => end(PASS));
        socket.once("error", (error) => end(failure(error, target, note(host))));
        socket.once("close", () => end({ ok: false, reason: `connection closed by ${target}` }));
      }),
    close() {},
  };
}
