import { request } from "node:http";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { createReadiness, createRegistry, noLog } from "@datawire/runtime";
import { send } from "../exchange/answer.ts";
import { type AdminDeps, type AdminServer, startAdmin } from "./admin-server.ts";

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

function start(deps: Partial<AdminDeps> = {}): Promise<AdminServer> {
  const config = { listen: { host: "127.0.0.1", port: 0 }, setting: "--admin" };
  return startAdmin(
    config,
    { readiness: createReadiness(), registry: new Registry(), log: noLog, ...deps },
    stop.signal,
  );
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function ask(
  { address }: AdminServer,
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ ...address, path, method, headers, agent: false }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      res.on("end", () => resolve({ status: res.statusCode, text }));
    });
    req.on("error", reject).end();
  });
}

test("startAdmin() answers /healthz while the process lives", async () => {
  expect(await ask(await start(), "/healthz?x=1")).toEqual({ status: 200, text: "ok\n" });
});

test("startAdmin() lists on /readyz what is not ready", async () => {
  const readiness = createReadiness();
  const part = readiness.add("directory", "not connected yet");
  readiness.seal();
  const server = await start({ readiness });
  expect(await ask(server, "/readyz")).toEqual({ status: 503, text: "directory: not connected yet\n" });
  part.ready();
  expect(await ask(server, "/readyz")).toEqual({ status: 200, text: "ready\n" });
});

test("startAdmin() serves the metrics", async () => {
  const { status, text } = await ask(await start({ registry: createRegistry("watson") }), "/metrics");
  expect(status).toBe(200);
  expect(text).toMatch(/datawire_build_info\{program="watson",version="[^"]+"\} 1/);
});

test("startAdmin() is read-only but for handlers that take more", async () => {
  const server = await start({
    handlers: [
      (req, res) => {
        if (req.method !== "PUT" || req.url !== "/v1/heartbeat/a") return false;
        send(res, 200, "beat");
        return true;
      },
    ],
  });
  expect((await ask(server, "/v1/heartbeat/a", { method: "PUT" })).text).toBe("beat\n");
  expect((await ask(server, "/healthz", { method: "POST" })).status).toBe(405);
  expect((await ask(server, "/else")).status).toBe(404);
});

test("startAdmin() refuses what a web page may have sent", async () => {
  const server = await start();
  expect((await ask(server, "/metrics", { headers: { host: "evil.example" } })).status).toBe(403);
  expect((await ask(server, "/metrics", { headers: { origin: "https://evil.example" } })).status).toBe(403);
});

test("startAdmin() answers 500 when a handler fails, and goes on", async () => {
  const server = await start({
    handlers: [(req) => (req.url === "/bad" ? Promise.reject(new Error("broken")) : false)],
  });
  expect((await ask(server, "/bad")).status).toBe(500);
  expect((await ask(server, "/healthz")).status).toBe(200);
});

test("startAdmin() says which flag chose a port that is in use", async () => {
  const { address } = await start();
  const again = startAdmin(
    { listen: address, setting: "--admin" },
    { readiness: createReadiness(), registry: new Registry(), log: noLog },
    stop.signal,
  );
  await expect(again).rejects.toThrow(
    `Cannot listen on 127.0.0.1:${address.port} (--admin): the port is in use by another process`,
  );
});

test("startAdmin() closes with its signal, open connections too", async () => {
  const server = await start();
  stop.abort();
  await server.closed;
  await expect(ask(server, "/healthz")).rejects.toThrow("ECONNREFUSED");
});
