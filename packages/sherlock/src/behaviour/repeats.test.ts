import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../core/model/limits.ts";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, requestOf } from "../testing/raw.ts";

/** What is tried again, and how long an answer may be silent (docs/http.md). */

const TIMEOUT_MS = 300;
let folder: string;
let machine: Machine;
let server: Server;
/** How often each path was asked for. */
const asked = new Map<string, number>();

beforeAll(async () => {
  folder = await temporaryFolder();
  server = createServer((req, res) => {
    const path = req.url ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    req.resume();
    // Everything there is to a part that comes later than the time-out allows: the head, or what follows it.
    const late = TIMEOUT_MS * 2;
    if (path.startsWith("/silent")) return;
    if (path.startsWith("/break")) return void req.socket.destroy();
    if (path.startsWith("/part")) res.write("one,");
    setTimeout(() => res.end("two"), late);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dead = `http://127.0.0.1:${await freePort()}`;
  const table = catalogOf(
    service("s", { settings: { timeoutMs: TIMEOUT_MS } }),
    instance("s", "a", { url }),
    service("few", { settings: { timeoutMs: TIMEOUT_MS, retries: 2 } }),
    instance("few", "a", { url }),
    service("none", { settings: { timeoutMs: TIMEOUT_MS, retries: 0 } }),
    instance("none", "a", { url }),
    service("next", { settings: { timeoutMs: TIMEOUT_MS } }),
    instance("next", "a", { url: dead }),
    instance("next", "b", { url, version: "2", order: 1 }),
  );
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
});

afterAll(async () => {
  await machine?.stop();
  server.closeAllConnections();
  server.close();
  await removeFolder(folder);
});

async function ask(line: string, ...headers: readonly string[]): Promise<string> {
  return exchange(machine.port, requestOf(`${line} HTTP/1.1`, "Host: localhost", "Content-Length: 0", ...headers));
}

describe("a time-out", () => {
  test.each(["GET", "HEAD", "POST", "PUT"])("of %s is answered with 504, and asked of nobody else", async (method) => {
    const startedMs = performance.now();
    expect(await ask(`${method} /s/silent/${method}`)).toMatch(/^HTTP\/1\.1 504 /);
    expect(asked.get(`/silent/${method}`)).toBe(1);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(TIMEOUT_MS);
  });

  test("is not repeated by the next group either", async () => {
    expect(await ask("GET /next/silent/next")).toMatch(/^HTTP\/1\.1 504 /);
    expect(asked.get("/silent/next")).toBe(1);
  });
});

describe("an instance that breaks off", () => {
  test.each([
    ["GET", "s", 1 + DEFAULT_LIMITS.retries],
    ["HEAD", "s", 1 + DEFAULT_LIMITS.retries],
    ["GET", "few", 3],
    ["GET", "none", 1],
    ["POST", "s", 1],
    ["PUT", "s", 1],
    ["PATCH", "s", 1],
    ["DELETE", "s", 1],
    // The first group is dead: the second one is asked once, whatever comes of it.
    ["GET", "next", 1],
  ])("is asked for %s of %s so often: %i", async (method, name, times) => {
    expect(await ask(`${method} /${name}/break/${name}/${method}`)).toMatch(/^HTTP\/1\.1 502 /);
    expect(asked.get(`/break/${name}/${method}`)).toBe(times);
  });
});

describe("silence within an answer", () => {
  test.each([
    ["GET", ["Accept: text/event-stream"]],
    ["GET", ["Accept: text/html, text/event-stream;q=0.5"]],
    ["POST", ["Content-Type: application/grpc+proto", "TE: trailers"]],
  ])("of a stream is no time-out: %s %j", async (method, headers) => {
    for (const name of ["s", "next"]) {
      const answer = await ask(`${method} /${name}/part`, ...headers);
      expect(answer.replace(/\r\n/g, "")).toMatch(/one,.*two/);
    }
  });

  test("of anything else is one", async () => {
    const answer = await ask("GET /s/part");
    expect(answer).toContain("one,");
    expect(answer).not.toContain("two");
  });
});
