import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientMessage, Role, ServerMessage } from "@datawire/protocol";
import { createReadiness, noLog, systemClock } from "@datawire/runtime";
import { WebSocket } from "ws";
import { tlsOptions } from "../access/io/certificates.ts";
import { type Access, openAccess } from "../access/open-access.ts";
import type { TokenOrder } from "../access/token-desk.ts";
import { assembleDirectory, startingHandlers } from "../assemble.ts";
import { type HttpServer, listenHttp } from "../io/http-server.ts";
import { openEmbeddedStore } from "../store/embedded.ts";
import { TEST_CONFIG } from "./config.ts";

/** A directory on loopback that asks for tokens and speaks TLS, with everything real but its log. */
export interface Guarded {
  readonly folder: string;
  readonly port: number;
  /** The certificate of its authority. */
  readonly ca: string;
  readonly tokens: Access["tokens"];
  create(role: Role, order?: Partial<TokenOrder>): Promise<{ id: string; token: string }>;
  /** Opens a link, says hello, and gathers what comes until the link ends. */
  link(token: string, hello: ClientMessage): Promise<GuardedLink>;
  stop(): Promise<void>;
}

export interface GuardedLink {
  /** What came so far. */
  readonly messages: ServerMessage[];
  send(message: ClientMessage): void;
  /** Resolves with the next message of that type, past or future. */
  next<T extends ServerMessage["type"]>(type: T): Promise<Extract<ServerMessage, { type: T }>>;
  close(): Promise<void>;
}

export async function serveGuarded(): Promise<Guarded> {
  const folder = await mkdtemp(join(tmpdir(), "datawire-access-"));
  const store = await openEmbeddedStore(folder, "//localhost/directory");
  const readiness = createReadiness();
  readiness.seal();
  let handlers = startingHandlers;
  const http: HttpServer = await listenHttp(
    {
      addresses: [{ host: "127.0.0.1", port: 0 }],
      setting: "--port",
      names: ["localhost"],
      tls: { clientCertificates: false },
    },
    {
      request: (req, res) => handlers.request(req, res),
      upgrade: (req, socket, head) => handlers.upgrade(req, socket, head),
      foreign: () => {},
    },
  );
  const access = await openAccess(
    { protection: { auth: "token", tls: "own" }, folder, names: ["localhost", "127.0.0.1"] },
    {
      store,
      openTenantStore: (tenant) => openEmbeddedStore(join(folder, tenant), tenant),
      clock: systemClock,
      log: noLog,
      show: (certificate) => http.setCertificate(tlsOptions(certificate)),
    },
  );
  const directory = await assembleDirectory(TEST_CONFIG, { store, clock: systemClock, log: noLog, readiness, access });
  handlers = directory.handlers;
  const stopping = new AbortController();
  const running = directory.run(stopping.signal);
  const port = http.addresses[0]?.port ?? 0;
  const { certificate: ca } = await access.tokens.authority();
  return {
    folder,
    port,
    ca,
    tokens: access.tokens,
    async create(role, order = {}) {
      const whole = { role, services: null, tenant: null, expiresMs: null, ...order };
      const { token, record } = await access.tokens.create(whole, "test");
      return { id: record.id, token };
    },
    link: (token, hello) => openLink({ port, ca, token }, hello),
    async stop() {
      stopping.abort();
      await running;
      await http.close();
      await access.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openLink(
  { port, ca, token }: { readonly port: number; readonly ca: string; readonly token: string },
  hello: ClientMessage,
): Promise<GuardedLink> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`wss://127.0.0.1:${port}/v1/link`, { ca, headers });
  const messages: ServerMessage[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data) => {
    messages.push(JSON.parse((data as Buffer).toString()) as ServerMessage);
    for (const look of waiting) look();
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.send(JSON.stringify(hello));
  return {
    messages,
    send: (message) => socket.send(JSON.stringify(message)),
    next: <T extends ServerMessage["type"]>(type: T) =>
      new Promise<Extract<ServerMessage, { type: T }>>((resolve) => {
        const look = (): void => {
          const at = messages.findIndex((message) => message.type === type);
          if (at < 0) return;
          waiting.delete(look);
          resolve(messages.splice(at, 1)[0] as Extract<ServerMessage, { type: T }>);
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        if (socket.readyState === WebSocket.CLOSED) return resolve();
        socket.once("close", () => resolve());
        socket.close();
      }),
  };
}
