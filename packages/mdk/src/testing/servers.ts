import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { init, type Mdk, type MdkOptions } from "../index.ts";
import { requireApplication } from "../app/require-application.ts";
import type { FinishedInteraction } from "../session/deps.ts";
import type { LogEvent } from "../session/log-event.ts";

/** Serves on a port of loopback until the test is over; gives the URL. */
export async function serve(server: Server | RequestListener): Promise<string> {
  const running = typeof server === "function" ? createServer(server) : server;
  await new Promise<void>((resolve) => void running.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    running.close();
    running.closeAllConnections();
  });
  return `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
}

/** A library over these nodes, with all that it logs and what became of its interactions. */
export function libraryOver(
  nodes: readonly {
    readonly service: string;
    readonly version?: string;
    readonly address: string;
    readonly id?: string;
  }[],
  options: MdkOptions = {},
): { readonly mdk: Mdk; readonly logged: LogEvent[]; readonly interactions: FinishedInteraction[] } {
  const mdk = init({ name: "shop", source: `static:nodes=${JSON.stringify(nodes)}`, ...options }).start();
  const logged: LogEvent[] = [];
  const interactions: FinishedInteraction[] = [];
  requireApplication(mdk).observers.add({
    logged: (event) => logged.push(event),
    interacted: (interaction) => interactions.push(interaction),
    stopping: () => Promise.resolve(),
  });
  onTestFinished(() => mdk.stop());
  return { mdk, logged, interactions };
}

/** A port of loopback on which nothing listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
