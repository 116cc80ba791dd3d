import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerMessage, serviceSchema } from "@datawire/protocol";
import { expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** A directory that knows many services and tells a subscriber one thing after the other. */
async function serve() {
  const seen: IncomingHttpHeaders[] = [];
  const services = Array.from({ length: 5_000 }, (_, i) => ({
    service: `service-${i}`,
    protocol: "http",
    primary: null,
    status: "down",
    reason: null,
    instances: [],
  }));
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.end(JSON.stringify({ epoch: "e", revision: 1, services, routes: [], distributions: [] }));
  });
  const links = new WebSocketServer({ server, path: "/v1/link" });
  const sockets: WebSocket[] = [];
  const send = (socket: WebSocket | undefined, message: ServerMessage): void => socket?.send(JSON.stringify(message));
  links.on("connection", (socket) => {
    socket.once("message", () => {
      const welcome = {
        link: 1,
        directory: "//localhost/directory",
        version: "0",
        heartbeatMs: 5_000,
        leaseMs: 15_000,
      };
      send(socket, { type: "welcome", ...welcome });
      const empty = { services: [], instances: [], tables: [] };
      send(socket, { type: "snapshot", epoch: "e", revision: 1, part: 0, last: true, warming: false, ...empty });
      sockets.push(socket);
    });
  });
  let revision = 1;
  /** A service comes, and is told of. */
  const change = (name: string): void => {
    revision += 1;
    const gone = { services: [], instances: [], tables: [] };
    const body = { services: [serviceSchema.parse({ name })], instances: [], tables: [], gone };
    send(sockets.at(-1), { type: "delta", epoch: "e", from: revision - 1, revision, atMs: 0, change: body });
  };
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const client of links.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const address = `//127.0.0.1:${(server.address() as AddressInfo).port}/directory`;
  return { address, seen, sockets, change };
}

async function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const home = await mkdtemp(join(tmpdir(), "dw-"));
  const base = {
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    HOME: home,
  };
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { env: { ...base, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(home, { recursive: true });
  });
  return { child, ended, home, out: () => ({ stdout, stderr }) };
}

const TOKEN = `dw1_${"a".repeat(43)}`;

test("dw asks with the user's name and the token, and prints a long answer whole", async () => {
  const { address, seen } = await serve();
  const dw = await start(["service", "list", "--json", "-d", address], { DATAWIRE_TOKEN: TOKEN });
  expect(await dw.ended).toBe(0);
  expect(dw.out().stderr).toBe("");
  expect(JSON.parse(dw.out().stdout)).toHaveLength(5_000);
  expect(seen[0]).toMatchObject({
    "x-datawire-user": `${userInfo().username}@${hostname()}`,
    authorization: `Bearer ${TOKEN}`,
  });
});

test("dw takes directory and token from its settings", async () => {
  const { address, seen } = await serve();
  const dw = await start(["caller", "list", "-c", "missing.yaml"]);
  expect(await dw.ended).toBe(78);
  const token = join(dw.home, "token");
  const file = join(dw.home, "dw.yaml");
  await writeFile(token, `${TOKEN}\n`, { mode: 0o600 });
  await writeFile(file, `directory: ${address}\ntoken_file: ${token}\n`);
  const second = await start(["route", "list", "--json", "-c", file]);
  expect(await second.ended).toBe(0);
  expect(seen[0]).toMatchObject({ authorization: `Bearer ${TOKEN}` });
  await rm(token);
  const third = await start(["route", "list", "-c", file]);
  expect(await third.ended).toBe(78);
  expect(third.out().stderr).toBe(
    `${file}:2:13: token_file is ${JSON.stringify(token)}: Cannot read the file: no such file or folder\n`,
  );
});

test("dw ends quietly when nobody reads its output any more", async () => {
  const { address } = await serve();
  const dw = await start(["service", "list", "-d", address]);
  dw.child.stdout?.destroy();
  expect(await dw.ended).toBe(0);
  expect(dw.out().stderr).toBe("");
});

test("dw says that its output could not be written", async () => {
  const full = await open("/dev/full", "w");
  onTestFinished(() => full.close());
  const child = spawn(process.execPath, [MAIN, "--version"], { stdio: ["ignore", full.fd, "pipe"] });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(1);
  expect(stderr).toBe("dw: Cannot write the output: no space left on the device\n");
});

test("dw watch follows a directory until Ctrl-C, which ends it with 0", async () => {
  const { address, sockets, change } = await serve();
  const dw = await start(["watch", "-d", address]);
  await expect.poll(() => sockets.length).toBe(1);
  change("barker");
  await expect.poll(() => dw.out().stdout).toMatch(/Z {2}\/\/barker {2}new\n$/);
  sockets[0]?.terminate();
  await expect.poll(() => sockets.length).toBe(2);
  dw.child.kill("SIGINT");
  expect(await dw.ended).toBe(0);
});

test("dw watch ends quietly with the next change when nobody reads its output any more", async () => {
  const { address, sockets, change } = await serve();
  const dw = await start(["watch", "-d", address]);
  await expect.poll(() => sockets.length).toBe(1);
  dw.child.stdout?.destroy();
  change("barker");
  expect(await dw.ended).toBe(0);
  expect(dw.out().stderr).toBe("");
});
