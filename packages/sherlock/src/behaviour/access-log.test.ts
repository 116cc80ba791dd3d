import { readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { change, catalogOf, instance, service } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, type RawInstance, requestOf, startRaw } from "../testing/raw.ts";

/** The access log is JSON, a value a line, whatever HAProxy has to say, and rotates by renaming. */

let folder: string;
let machine: Machine;
let raw: RawInstance;
let tcp: Server;

beforeEach(async () => {
  folder = await temporaryFolder();
  raw = await startRaw();
  tcp = createServer((socket) => socket.on("error", () => {}).end("hello"));
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await machine?.stop();
  raw.close();
  tcp.close();
  await removeFolder(folder);
});

const ask = (target: string, ...headers: readonly string[]): Promise<string> =>
  exchange(machine.port, requestOf(`GET ${target} HTTP/1.1`, "Host: localhost", ...headers));

interface Line {
  readonly path?: string;
  readonly backend: string;
  readonly status?: number;
}

async function linesOf(path: string): Promise<Line[]> {
  const text = await readFile(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

test("every line is JSON: of requests that are odd or refused, of connections, over reloads and failures", async () => {
  const tcpPort = await freePort();
  const table = catalogOf(
    service("s"),
    instance("s", "a", { url: raw.url }),
    service("dead"),
    instance("dead", "a", { url: `http://127.0.0.1:${await freePort()}` }),
    service("db", { protocol: "tcp" }),
    instance("db", "a", { protocol: "tcp", url: `tcp://127.0.0.1:${(tcp.address() as AddressInfo).port}` }),
    service("gone", { protocol: "tcp" }),
    instance("gone", "a", { protocol: "tcp", url: `tcp://127.0.0.1:${await freePort()}` }),
  );
  const gonePort = await freePort();
  const listen = new Map([
    ["db", { host: "127.0.0.1", port: tcpPort }],
    ["gone", { host: "127.0.0.1", port: gonePort }],
  ]);
  const settings = { accessLog: true, tcp: { listen, range: null } };
  machine = await startMachine({ table, runDir: folder, port: await freePort(), settings });
  const targets = [
    "/s/plain",
    '/s/"quoted"\\',
    "/s/\xff\xfe?\xe9",
    "/s/%22%0a",
    `/s/${"x".repeat(16_000)}`,
    "/nope/x",
    "/dead/x",
    "/s/x#y",
    "/s/\x01",
  ];
  for (const target of targets) await ask(target);
  for (const port of [tcpPort, gonePort]) {
    await new Promise((resolve) =>
      connect(port, "127.0.0.1")
        .on("close", resolve)
        .on("error", () => {})
        .resume(),
    );
  }
  await machine.follow(table.apply(change(service("new"), instance("new", "a", { url: `${raw.url}/new` }))));
  await ask("/new/x");
  const expected = [
    "/s/plain",
    '/s/"quoted"\\',
    "/s/%22%0a",
    `/s/${"x".repeat(16_000)}`,
    "/nope/x",
    "/dead/x",
    "/s/x#y",
    "/new/x",
  ];
  // HAProxy logs a connection once both of its sides have ended, and a worker that a reload replaces when it comes to that.
  await expect
    .poll(async () => {
      const lines = await linesOf(machine.dir.accessLog);
      return {
        paths: lines.map(({ path }) => path),
        connections: lines.filter(({ backend }) => backend.startsWith("db:")).length,
        refused: lines.filter(({ status }) => status === 400).length >= 2,
      };
    })
    .toEqual({ paths: expect.arrayContaining(expected), connections: 1, refused: true });
});

test("a log that is renamed is begun anew, and one that is emptied begins at its beginning", async () => {
  const table = catalogOf(service("s"), instance("s", "a", { url: raw.url }));
  machine = await startMachine({ table, runDir: folder, port: await freePort(), settings: { accessLog: true } });
  const { accessLog } = machine.dir;
  const logged = async (path: string, expected: readonly string[]): Promise<void> => {
    await ask(`/s/${path}`);
    await expect
      .poll(async () => (await linesOf(accessLog).catch(() => [])).map((line) => line.path))
      .toEqual(expected.map((one) => `/s/${one}`));
  };
  await logged("1", ["1"]);
  await rename(accessLog, `${accessLog}.1`);
  await logged("2", ["2"]);
  expect((await linesOf(`${accessLog}.1`)).map(({ path }) => path)).toEqual(["/s/1"]);
  await rm(accessLog);
  await logged("3", ["3"]);
  await truncate(accessLog);
  await logged("4", ["4"]);
  expect((await stat(accessLog)).mode & 0o777).toBe(0o600);
});
