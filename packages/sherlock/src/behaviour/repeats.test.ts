import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceSettings } from "@datawire/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../core/model/limits.ts";
import { catalogOf, type Entity, instance, service } from "../testing/entities.ts";
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
  server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    const path = req.url ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    req.resume();
    // Everything there is to a part that comes later than the time-out allows: the head, or what follows it.
    const late = TIMEOUT_MS * 2;
    if (path.startsWith("/silent")) return;
    if (path.startsWith("/break")) return void req.socket.destroy();
    if (path.startsWith("/part") || path.startsWith("/stuck")) res.write("one,");
    if (path.startsWith("/stuck")) return;
    setTimeout(() => res.end("two"), late);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dead = `http://127.0.0.1:${await freePort()}`;
  /** A service with one instance; where its first group is dead, in the second one. */
  const group = (name: string, settings: Partial<ServiceSettings>, first?: string): Entity[] => [
    service(name, { settings }),
    ...(first === undefined ? [] : [instance(name, "dead", { url: first })]),
    instance(name, "a", { url, ...(first !== undefined && { version: "2", order: 1 }) }),
  ];
  const table = catalogOf(
    ...group("s", { timeoutMs: TIMEOUT_MS }),
    ...group("next", { timeoutMs: TIMEOUT_MS }, dead),
    // What is no matter of time has the usual minute.
    ...group("usual", {}),
    ...group("few", { retries: 2 }),
    ...group("none", { retries: 0 }),
    ...group("second", {}, dead),
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

/** The answer of an instance whose head came in time, which a busy machine keeps it from now and then. */
async function askInTime(line: string, ...headers: readonly string[]): Promise<string> {
  for (;;) {
    const answer = await ask(line, ...headers);
    if (!answer.startsWith("HTTP/1.1 504 ")) return answer;
  }
}

/** How often the instance was asked for a path that nobody answered: what was sent before the time-out may be read after it. */
async function timesOf(path: string): Promise<number> {
  await expect.poll(() => asked.get(path)).toBeGreaterThan(0);
  await ask("GET /none/break/fence");
  return asked.get(path) ?? 0;
}

describe("a time-out", () => {
  test.each(["GET", "HEAD", "POST", "PUT"])("of %s is answered with 504, and asked of nobody else", async (method) => {
    const startedMs = performance.now();
    expect(await ask(`${method} /s/silent/${method}`)).toMatch(/^HTTP\/1\.1 504 /);
    // HAProxy counts whole milliseconds.
    expect(performance.now() - startedMs).toBeGreaterThan(TIMEOUT_MS - 2);
    expect(await timesOf(`/silent/${method}`)).toBe(1);
  });

  test("is not repeated by the next group either", async () => {
    expect(await ask("GET /next/silent/next")).toMatch(/^HTTP\/1\.1 504 /);
    expect(await timesOf("/silent/next")).toBe(1);
  });
});

describe("an instance that breaks off", () => {
  test.each([
    ["GET", "usual", 1 + DEFAULT_LIMITS.retries],
    ["HEAD", "usual", 1 + DEFAULT_LIMITS.retries],
    ["GET", "few", 3],
    ["GET", "none", 1],
    ["POST", "usual", 1],
    ["PUT", "usual", 1],
    ["PATCH", "usual", 1],
    ["DELETE", "usual", 1],
    // The first group is dead: the second one is asked once, whatever comes of it.
    ["GET", "second", 1],
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
      const answer = await askInTime(`${method} /${name}/part`, ...headers);
      expect(answer.replace(/\r\n/g, "")).toMatch(/one,.*two/);
    }
  });

  test("of anything else is one", async () => {
    const answer = await askInTime("GET /s/stuck");
    expect(answer).toContain("one,");
    expect(answer).not.toMatch(/0\r\n\r\n$/);
  });
});
