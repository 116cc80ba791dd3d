import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isIpLiteral } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { noLog, ProblemBoard, systemClock, type Logger } from "@datawire/runtime";
import type { HaproxyFeatures } from "../core/model/haproxy-version.ts";
import type { PlanProblem } from "../core/model/plan.ts";
import type { Resolve } from "../core/planner/reachable-table.ts";
import type { SessionIds } from "../core/planner/sessions.ts";
import type { Reload } from "../core/transition/waiting.ts";
import { openAccessLog } from "../report/access-log.ts";
import { createConfigFiles } from "../haproxy/config-files.ts";
import { Configurator } from "../driver/configurator.ts";
import { Driver } from "../driver/driver.ts";
import { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import { createLoadedFile } from "../haproxy/read-running.ts";
import { openRunDir, type RunDir } from "../haproxy/run-dir.ts";
import { Planning } from "../inputs/planning.ts";
import { prepareProxy } from "../setup/proxy.ts";
import { loadSherlockSettings, type SherlockSettings } from "../config/settings.ts";
import { SESSION_IDS } from "./session-ids.ts";

/** A Sherlock without its link: a real HAProxy that follows a table which the test holds. */
export interface Machine {
  readonly port: number;
  readonly dir: RunDir;
  /** What it was started with. */
  readonly settings: SherlockSettings;
  /** What the HAProxy that the tests run with can do. */
  readonly features: HaproxyFeatures;
  readonly process: HaproxyProcess;
  readonly planning: Planning;
  readonly reloads: readonly Reload[];
  readonly problems: readonly PlanProblem[];
  /** Says which services changed, and resolves when HAProxy follows. */
  follow(services: Iterable<string>): Promise<void>;
  /** Resolves when no worker from before a reload is left. */
  settled(): Promise<void>;
  /** Stops following; HAProxy goes on. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

/** What a machine of tests begins with. */
export interface MachineOptions {
  readonly table: Catalog;
  readonly runDir: string;
  readonly port: number;
  readonly settings?: Partial<SherlockSettings>;
  /** The built-in one by default. */
  readonly template?: string;
  /** Knows `localhost` alone by default. */
  readonly resolve?: Resolve;
  readonly log?: Logger;
  /** What is not made use of, as with an HAProxy that lacks it. */
  readonly without?: Partial<HaproxyFeatures>;
  readonly sessionIds?: SessionIds;
}

/** Starts a Sherlock without a directory, with a real HAProxy. */
export async function startMachine({
  table,
  runDir,
  port,
  settings: changes,
  template,
  resolve = resolveLocalhost,
  log = noLog,
  without = {},
  sessionIds = SESSION_IDS,
}: MachineOptions): Promise<Machine> {
  const loaded = await loadSherlockSettings({
    config: undefined,
    directories: ["//localhost/directory"],
    options: { runDir, listen: `127.0.0.1:${port}`, name: "monolith", admin: "off" },
    args: [],
    env: { PATH: process.env["PATH"] },
  });
  const settings: SherlockSettings = {
    ...loaded,
    haproxy: { ...loaded.haproxy, template: template ?? null },
    ...changes,
  };
  const dir = await openRunDir(runDir);
  const prepared = await prepareProxy(settings, dir);
  const features = { ...prepared.binary.version.features, ...without };
  const proxy = { ...prepared, settings: { ...prepared.settings, features } };
  const position = { epoch: "test", revision: 1 };
  const follower = {
    table,
    leftOut: () => [],
    status: () => ({
      origin: "directory" as const,
      position,
      warming: false,
      connected: true,
      divergences: 0,
      ageMs: 0,
    }),
  };
  const planning = new Planning(settings, {
    proxy,
    follower,
    resolve,
    sessionIds,
  });
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files });
  const haproxy = new HaproxyProcess(
    { command: proxy.binary.path, dir, runtimeSocket: true },
    { clock: systemClock, log, onDeath: () => driver.lost() },
  );
  const reloads: Reload[] = [];
  let problems: readonly PlanProblem[] = [];
  let waiting: (() => void)[] = [];
  const driver = new Driver(
    {
      dir,
      settings: proxy.settings,
      shared: proxy.shared,
      dynamicServers: features.dynamicServers,
      runtimeCommands: true,
      handsOver: true,
      coalesce: { quietMs: 0, waitMsMax: 0, gapMs: 0 },
    },
    {
      clock: systemClock,
      log,
      process: haproxy,
      configurator,
      files,
      loaded: createLoadedFile(dir.loaded),
      planning,
      observer: {
        applied(found) {
          problems = found;
          for (const resolve of waiting) resolve();
          waiting = [];
        },
        reloaded: (reload) => void reloads.push(reload),
        reloadFailed() {},
        struggles() {},
        commands() {},
        beforeReload: async () => {},
      },
    },
  );
  await driver.adopt();
  await driver.start();
  const stop = new AbortController();
  const logs = settings.accessLog ? await openAccessLog({ dir, log, board: new ProblemBoard() }) : null;
  const running = Promise.all([driver.run(stop.signal), logs?.run(systemClock, stop.signal)]);
  const follow = async (services: Iterable<string>): Promise<void> => {
    planning.forget(services);
    const followed = new Promise<void>((resolve) => waiting.push(resolve));
    driver.request(services);
    await followed;
  };
  const leave = async (): Promise<void> => {
    stop.abort();
    await running;
    haproxy.leave();
    await dir.release();
  };
  await follow([]);
  return {
    port,
    dir,
    settings,
    features,
    process: haproxy,
    planning,
    reloads,
    get problems() {
      return problems;
    },
    follow,
    async settled() {
      while ((await haproxy.oldWorkers()) > 0) await systemClock.sleep(5);
    },
    leave,
    async stop() {
      stop.abort();
      await running;
      await haproxy.stop(0);
      await dir.release();
    },
  };
}

const resolveLocalhost: Resolve = (host) =>
  host === "localhost" || isIpLiteral(host)
    ? { state: "known", address: host === "localhost" ? "127.0.0.1" : host }
    : { state: "unknown", reason: `${host} does not resolve` };

/** A folder that sockets fit into. */
export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "shk-"));
}

/** Removes a folder with all that is in it; one that is missing is no error. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** A port that nothing listens on now, below the range that outgoing connections are given theirs from. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createNetServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** An instance that answers with what it was asked. */
export interface Echo {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts an instance that answers with what it was asked. */
export async function startEcho(
  name: string,
  respond?: (req: IncomingMessage) => Record<string, string | string[]>,
): Promise<Echo> {
  const server: Server = createServer((req, res) => {
    req.resume();
    req.on("end", () => {
      const headers = { "x-inst": name, ...respond?.(req) };
      res.writeHead("location" in headers ? 302 : 200, headers);
      res.end(JSON.stringify({ name, url: req.url, headers: req.headers }));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An instance that takes requests and never answers, as a frozen process does. */
export interface Silent {
  readonly url: string;
  /** How many have come. */
  requests(): number;
  /** Breaks off every connection, as the end of a process does. */
  die(): void;
  close(): void;
}

/** Starts an instance that accepts connections and never answers. */
export async function startSilent(): Promise<Silent> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", () => void requests++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    die() {
      for (const socket of sockets) socket.destroy();
    },
    close: () => void server.close(),
  };
}

/** A response through the proxy. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** What the instance saw; null for a page of HAProxy's own. */
  readonly seen: { readonly name: string; readonly url: string; readonly headers: Record<string, string> } | null;
}

/** Asks through HAProxy, with the path as it is written. */
export function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port, path, headers, agent: false }, (res) => {
      let body = "";
      res.setEncoding("utf8");
      res.on("data", (chunk: string) => (body += chunk));
      res.on("end", () => {
        const seen = "x-inst" in res.headers ? (JSON.parse(body) as Answer["seen"]) : null;
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body, seen });
      });
    });
    req.on("error", reject);
    req.end();
  });
}

/** A connection that is kept open, with one request after the other. */
export interface Connection {
  /** What the instance saw; null for an answer of HAProxy's own. */
  ask(path: string, headers?: Record<string, string>): Promise<Answer["seen"]>;
  close(): void;
}

/** Opens a connection that several requests go over, one after the other. */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return {
    async ask(path, headers = {}) {
      const lines = Object.entries({ host: "here", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
      let heard = "";
      while (!heard.endsWith("\r\n0\r\n\r\n") && !/\n\n$|\}\n?$/.test(heard)) {
        const [data] = (await once(socket, "data")) as [Buffer];
        heard += String(data);
      }
      const body = /\{.*\}/.exec(heard.slice(heard.indexOf("\r\n\r\n")))?.[0];
      return body === undefined ? null : (JSON.parse(body) as Answer["seen"]);
    },
    close: () => void socket.destroy(),
  };
}
