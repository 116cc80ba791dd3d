import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientMessage, type ServerMessage, serverMessageSchema } from "@datawire/protocol";
import { createReadiness, noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { createLocalTelemetry } from "@datawire/telemetry/testing";
import { WebSocket } from "ws";
import { assembleDirectory, type DirectoryConfig } from "../app/assemble.ts";
import { listenHttp } from "@datawire/http";
import type { Store } from "../store/contract.ts";
import { openEmbeddedStore } from "../store/embedded/embedded.ts";
import { listEnvironmentFolders, listTenantFolders, realmFolder } from "../store/embedded/tenant-folders.ts";
import { TEST_CONFIG } from "./config.ts";

/** A directory that listens on a free port of loopback, with everything real but its log. */
export interface Served extends Reachable {
  readonly port: number;
  readonly folder: string;
  stop(): Promise<void>;
}

/** A directory that a test can ask and link to, over whatever. */
export interface Reachable<Socket = WebSocket> {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Opens a link that has said nothing yet. */
  link(): Promise<Client<Socket>>;
}

/** An answer of the HTTP interface. */
export interface Answer {
  readonly status: number;
  // Tests look into answers of every shape; what they expect says which.
  readonly body: Record<string, unknown>;
}

/** A client of the link, made by hand: what arrives waits until it is asked for. */
export interface Client<Socket = WebSocket> {
  readonly socket: Socket;
  send(message: ClientMessage | Record<string, unknown> | string): void;
  /** The next message of that type, or of one of those; others before it are dropped. */
  next<T extends ServerMessage["type"]>(type: T | readonly T[]): Promise<Extract<ServerMessage, { type: T }>>;
  /** Resolves with the close code. */
  closed(): Promise<number>;
}

/** Starts a directory; the same folder again is the same directory after a restart. */
export async function serve({
  folder,
  store: given,
  consoleFolder,
  ...config
}: Partial<DirectoryConfig> & {
  readonly folder?: string;
  readonly store?: Store;
  readonly consoleFolder?: string;
} = {}): Promise<Served> {
  const data = folder ?? (await mkdtemp(join(tmpdir(), "datawire-directory-")));
  const store = given ?? (await openEmbeddedStore(data, "//localhost/directory"));
  const telemetry = createLocalTelemetry(join(data, "traces"));
  const readiness = createReadiness();
  readiness.seal();
  const directory = await assembleDirectory(
    { ...TEST_CONFIG, folder: data, ...config },
    {
      stores: {
        own: store,
        open: (realm) => openEmbeddedStore(realmFolder(data, realm), "//localhost/directory"),
        listTenants: () => listTenantFolders(data),
        listEnvironments: (tenant) => listEnvironmentFolders(data, tenant),
      },
      clock: systemClock,
      log: noLog,
      telemetry,
      ...(consoleFolder !== undefined && { consoleFolders: [consoleFolder] }),
      board: new ProblemBoard(),
      readiness,
      show: () => {},
    },
  );
  const addresses = [{ host: "127.0.0.1", port: 0 }];
  const http = await listenHttp({ addresses, setting: "--port", names: ["localhost"] }, directory.handlers);
  const port = http.addresses[0]?.port ?? 0;
  const stopping = new AbortController();
  const running = directory.run(stopping.signal);
  const base = `http://127.0.0.1:${port}`;
  const clients: Client[] = [];
  return {
    port,
    folder: data,
    get: (path, headers = {}) => ask(fetch(base + path, { headers })),
    send: (method, path, body, headers = {}) =>
      ask(
        fetch(base + path, {
          method,
          headers: { "content-type": "application/json", ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      ),
    async link() {
      const client = await openClient(`ws://127.0.0.1:${port}/v1/link`);
      clients.push(client);
      return client;
    },
    async stop() {
      stopping.abort();
      await running;
      await http.close();
      await directory.close();
      await telemetry.close();
      await store.close();
      for (const { socket } of clients) socket.terminate();
      if (folder === undefined) await rm(data, { recursive: true, force: true });
    },
  };
}

/** The first message of a client named `name`. */
export const hello = (kind: string, name: string, fields: object = {}) => ({
  type: "hello",
  link: { min: 1, max: 1 },
  kind,
  name,
  id: `identity-of-${name}`,
  version: "0.1.0",
  subscribe: null,
  ...fields,
});

/** A Watson that has registered a set, and was answered. */
export async function watsonOf<Socket>(
  served: Pick<Reachable<Socket>, "link">,
  name: string,
  instances: readonly unknown[],
  id = `identity-of-${name}`,
) {
  const client = await served.link();
  client.send(hello("watson", name, { id }));
  await client.next("welcome");
  client.send({ type: "register", seq: 1, instances });
  const registered = await client.next("registered");
  return { client, registered, draining: await client.next("draining") };
}

/** A Sherlock that follows the whole table. */
export async function sherlockOf<Socket>(
  served: Pick<Reachable<Socket>, "link">,
  name: string,
  subscribe: object = { services: null, have: null },
) {
  const client = await served.link();
  client.send(hello("sherlock", name, { subscribe }));
  await client.next("welcome");
  return client;
}

async function ask(answer: Promise<Response>): Promise<Answer> {
  const response = await answer;
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status: response.status, body: isJson ? (JSON.parse(text) as Answer["body"]) : { text } };
}

function openClient(url: string): Promise<Client> {
  const socket = new WebSocket(url);
  const arrived: ServerMessage[] = [];
  let waiting: (() => void) | null = null;
  socket.on("message", (data) => {
    arrived.push(serverMessageSchema.parse(JSON.parse((data as Buffer).toString("utf8"))));
    waiting?.();
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const client: Client = {
    socket,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    async next<T extends ServerMessage["type"]>(type: T | readonly T[]) {
      const types = new Set<string>([type].flat());
      for (;;) {
        const message = arrived.shift();
        if (message !== undefined && types.has(message.type)) return message as Extract<ServerMessage, { type: T }>;
        if (message === undefined) await new Promise<void>((resolve) => (waiting = resolve));
      }
    },
    closed: () => closed,
  };
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(client));
    socket.once("error", reject);
  });
}
