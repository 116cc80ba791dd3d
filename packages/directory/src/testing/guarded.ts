import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { ClientMessage, Role, ServerMessage } from "@datawire/protocol";
import { createReadiness, noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { createLocalTelemetry } from "@datawire/telemetry/testing";
import { WebSocket } from "ws";
import { tlsOptions } from "../access/certificates.ts";
import type { TokenOrder, TokenService } from "../access/token-service.ts";
import { assembleDirectory } from "../app/assemble.ts";
import { SwitchedHandlers } from "../app/switched-handlers.ts";
import { type HttpServer, listenHttp } from "@datawire/http";
import type { Store } from "../store/contract.ts";
import { openEmbeddedStore } from "../store/embedded/embedded.ts";
import {
  listEnvironmentFolders,
  listTenantFolders,
  realmFolder,
  tenantFolder,
} from "../store/embedded/tenant-folders.ts";
import { TEST_CONFIG } from "./config.ts";

/** A directory on loopback that asks for tokens and speaks TLS, with everything real but its log. */
export interface Guarded {
  readonly folder: string;
  readonly port: number;
  /** The certificate of its authority. */
  readonly ca: string;
  readonly tokens: TokenService;
  create(role: Role, order?: Partial<TokenOrder>): Promise<{ id: string; token: string }>;
  /** Sends a request over TLS. */
  ask(path: string, question?: Question): Promise<GuardedAnswer>;
  /** Opens a link, says hello, and gathers what comes until the link ends. */
  link(token: string, hello: ClientMessage): Promise<GuardedLink>;
  stop(): Promise<void>;
}

/** What is asked; the body is JSON, or a file where it is bytes. */
export interface Question {
  readonly token?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of a directory that speaks TLS. */
export interface GuardedAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A link to a directory that speaks TLS. */
export interface GuardedLink {
  send(message: ClientMessage): void;
  /** Resolves with the next message of that type, past or future. */
  next<T extends ServerMessage["type"]>(type: T): Promise<Extract<ServerMessage, { type: T }>>;
  close(): Promise<void>;
}

/** Where a directory keeps what it knows. */
export interface GuardedStores {
  /** The store of a tenant; of those who have none for null. */
  open(tenant: string | null): Promise<Store>;
  listTenants(): Promise<readonly string[]>;
}

/** @param stores the stores in its own folder, where none are given. */
export async function serveGuarded(given?: GuardedStores): Promise<Guarded> {
  const folder = await mkdtemp(join(tmpdir(), "datawire-access-"));
  const stores = given ?? {
    open: (tenant) =>
      openEmbeddedStore(tenant === null ? folder : tenantFolder(folder, tenant), "//localhost/directory"),
    listTenants: () => listTenantFolders(folder),
  };
  const store = await stores.open(null);
  const telemetry = createLocalTelemetry(join(folder, "traces"));
  const readiness = createReadiness();
  readiness.seal();
  const handlers = new SwitchedHandlers();
  const http: HttpServer = await listenHttp(
    {
      addresses: [{ host: "127.0.0.1", port: 0 }],
      setting: "--port",
      names: ["localhost"],
      tls: { clientCertificates: false },
    },
    handlers,
  );
  const directory = await assembleDirectory(
    { ...TEST_CONFIG, protection: { auth: "token", tls: "own" }, folder, names: ["localhost", "127.0.0.1"] },
    {
      stores: {
        own: store,
        open: (realm) =>
          realm.environment === null
            ? stores.open(realm.tenant)
            : openEmbeddedStore(realmFolder(folder, realm), "//localhost/directory"),
        listTenants: () => stores.listTenants(),
        listEnvironments: (tenant) => listEnvironmentFolders(folder, tenant),
      },
      clock: systemClock,
      log: noLog,
      telemetry,
      board: new ProblemBoard(),
      readiness,
      show: (certificate) => http.setCertificate(tlsOptions(certificate)),
    },
  );
  handlers.switchTo(directory.handlers);
  const stopping = new AbortController();
  const running = directory.run(stopping.signal);
  const port = http.addresses[0]?.port ?? 0;
  const { certificate: ca } = await directory.tokens.authority();
  return {
    folder,
    port,
    ca,
    tokens: directory.tokens,
    async create(role, order = {}) {
      const whole = { role, services: null, tenant: null, expiresMs: null, ...order };
      const { token, record } = await directory.tokens.create(whole, "test");
      return { id: record.id, token };
    },
    ask: (path, question = {}) => ask({ port, ca, path }, question),
    link: (token, hello) => openLink({ port, ca, token }, hello),
    async stop() {
      stopping.abort();
      await running;
      await http.close();
      await directory.close();
      await telemetry.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function ask(
  options: { readonly port: number; readonly ca: string; readonly path: string },
  { token, method = "GET", body, headers: more }: Question,
): Promise<GuardedAnswer> {
  const isFile = body instanceof Uint8Array;
  const headers = {
    ...more,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": isFile ? "application/octet-stream" : "application/json" }),
  };
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", method, headers, ...options }, (response) => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, body: bytes, headers: response.headers }),
        reject,
      );
    });
    asked.on("error", reject);
    asked.end(body === undefined || isFile ? body : JSON.stringify(body));
  });
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
