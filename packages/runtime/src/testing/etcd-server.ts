import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { freePorts } from "./free-ports.ts";

/** An etcd of one member on loopback, for tests; the same folder and ports after each start. */
export interface EtcdServer {
  readonly url: string;
  start(): Promise<void>;
  /** Sends a signal; with SIGKILL and SIGTERM, waits for the end. */
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Kills the process and removes its data: the next start makes a new cluster. */
  wipe(): Promise<void>;
  /** Asks the gateway. */
  call(path: string, body: unknown): Promise<unknown>;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

/** In PEM: what etcd shows to clients, and the authority of certificates that these have to show. */
export interface EtcdTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Starts an etcd with an empty folder of its own.
 * @param tls for clients and etcd alike; null for plain connections without authentication.
 */
export async function startEtcd(tls: EtcdTls | null = null): Promise<EtcdServer> {
  const folder = await mkdtemp(join(tmpdir(), "datawire-etcd-"));
  const [clientPort, peerPort] = await freePorts(2);
  const client = `${tls === null ? "http" : "https"}://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const args = [
    ["--data-dir", join(folder, "data")],
    ["--listen-client-urls", client],
    ["--advertise-client-urls", client],
    ["--listen-peer-urls", peer],
    ["--initial-advertise-peer-urls", peer],
    ["--initial-cluster", `default=${peer}`],
    // It is the only member, and has nobody to wait for before it leads.
    ["--heartbeat-interval", "10"],
    ["--election-timeout", "100"],
    ["--logger", "zap"],
    ["--log-level", "error"],
    ...(tls === null ? [] : await tlsArguments(tls, folder)),
  ].flat();
  let child: ChildProcess | null = null;
  const call = (path: string, body: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const options = { method: "POST", ...tls };
      const asked = (tls === null ? plainRequest : secureRequest)(client + path, options, (response) => {
        json(response).then(resolve, reject);
      });
      asked.on("error", reject);
      asked.end(JSON.stringify(body));
    });
  const server: EtcdServer = {
    url: client,
    async start() {
      child = spawn("etcd", args, { stdio: "ignore" });
      const failed = once(child, "exit").then(() => "ended");
      for (let attempt = 0; attempt < 4_000; attempt++) {
        const up = await call("/v3/kv/range", { key: "AA==" }).then(
          () => "up",
          () => "down",
        );
        if (up === "up") return;
        const waited = await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 30))]);
        if (waited === "ended")
          throw new Error("Cannot start etcd: it ended at once; wanted Debian's etcd-server, 3.4");
      }
      throw new Error("Cannot start etcd: it did not answer in two minutes");
    },
    async signal(signal) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill(signal);
      if (signal === "SIGKILL" || signal === "SIGTERM") await ended;
    },
    async wipe() {
      await server.signal("SIGKILL");
      await rm(join(folder, "data"), { recursive: true });
    },
    call,
    async dispose() {
      await server.signal("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function tlsArguments({ ca, cert, key }: EtcdTls, folder: string): Promise<string[][]> {
  const files = { "trusted-ca-file": ca, "cert-file": cert, "key-file": key };
  const named = Object.entries(files).map(async ([flag, content]) => {
    const path = join(folder, `${flag}.pem`);
    await writeFile(path, content, { mode: 0o600 });
    return [`--${flag}`, path];
  });
  return [["--client-cert-auth"], ...(await Promise.all(named))];
}
