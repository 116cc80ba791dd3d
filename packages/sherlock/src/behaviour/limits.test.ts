import { HEAD_LIMITS } from "@datawire/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, ok, type RawInstance, requestOf, startRaw } from "../testing/raw.ts";

/** Each limit is documented, and an answer of Sherlock's own names it. */

let folder: string;
let machine: Machine;
let raw: RawInstance;
let answered: readonly string[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  raw = await startRaw(() => ok(answered));
  const table = catalogOf(service("s"), instance("s", "a", { url: `${raw.url}/${"b".repeat(200)}` }));
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
});

afterAll(async () => {
  await machine?.stop();
  raw.close();
  await removeFolder(folder);
});

const ask = (path: string, ...headers: readonly string[]): Promise<string> =>
  exchange(machine.port, requestOf(`GET /s${path} HTTP/1.1`, "Host: localhost", ...headers));
const lines = (count: number, length = 1): string[] =>
  Array.from({ length: count }, (_, i) => `x-h${i}: ${"v".repeat(length)}`);
const bytesOf = (headers: readonly string[]): number =>
  ["host: localhost", ...headers, ""].reduce((sum, line) => sum + line.length + 2, 0);

describe("a request", () => {
  test.each([
    ["100 headers", lines(100)],
    ["900 headers", lines(900)],
    ["a header of 20 kB, as a Kerberos ticket", [`Authorization: Negotiate ${"A".repeat(20_000)}`]],
    ["cookies of 18 kB", [`Cookie: ${Array.from({ length: 180 }, (_, i) => `c${i}=${"v".repeat(90)}`).join("; ")}`]],
    ["as many bytes as there may be", [`X-A: ${"v".repeat(HEAD_LIMITS.headerBytes - bytesOf(["X-A: "]) - 1)}`]],
  ])("with %s passes whole", async (_what, headers) => {
    const before = raw.heads.length;
    expect(await ask("/x", ...headers)).toMatch(/^HTTP\/1\.1 200 /);
    const seen = (raw.heads[before] ?? "").toLowerCase();
    for (const line of headers) expect(seen).toContain(line.toLowerCase());
    expect(seen).toContain("x-forwarded-prefix: /s");
  });

  test.each([
    ["text/plain", "431: request headers too large: all of them together may have 20480 bytes"],
    ["text/html", "<h1>431: request headers too large</h1><p>all of them together may have 20480 bytes."],
    ["application/json", '"reason":"all of them together may have 20480 bytes"'],
  ])("with more headers is told so in %s", async (accept, expected) => {
    const before = raw.heads.length;
    const long = `X-A: ${"v".repeat(HEAD_LIMITS.headerBytes)}`;
    const answer = await ask("/x", `Accept: ${accept}`, long);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain(`content-type: ${accept}`);
    expect(answer).toContain(expected);
    expect(raw.heads).toHaveLength(before);
  });

  test("with the longest URL passes, and with a longer one is told so", async () => {
    const path = `/${"p".repeat(HEAD_LIMITS.urlBytes - 5)}`;
    expect(await ask(path)).toMatch(/^HTTP\/1\.1 200 /);
    expect(raw.heads.at(-1)).toContain(path);
    expect(await ask(`${path}pp`, "Accept: application/json")).toMatch(
      /^HTTP\/1\.1 414 [\s\S]*"error":"URI too long","service":"s","reason":"a URL may have 16384 bytes"/,
    );
  });
});

describe("a first segment that is longer than a name", () => {
  const long = "<b>".repeat(4_000);

  test("passes where Host names the service", async () => {
    const path = `/${"j".repeat(15_000)}/x`;
    const request = requestOf(`GET ${path} HTTP/1.1`, "Host: s");
    expect(await exchange(machine.port, request)).toMatch(/^HTTP\/1\.1 200 /);
    expect(raw.heads.at(-1)).toContain(`${path} HTTP/1.1`);
  });

  test("is told by its beginning that it names no service, and none of it is taken for HTML", async () => {
    const request = requestOf(`GET /${long}/x HTTP/1.1`, "Host: localhost", "Accept: text/html");
    const answer = await exchange(machine.port, request);
    expect(answer).toMatch(/^HTTP\/1\.1 404 [\s\S]*<b>(?:\?b\?){33}\?b<\/b>: no service of that name is registered/);
  });
});

describe("an answer", () => {
  test("with many and long headers passes whole", async () => {
    answered = [...lines(500), `x-long: ${"v".repeat(8_000)}`];
    const answer = await ask("/x");
    for (const line of answered) expect(answer).toContain(line);
  });

  test("with more is 502, and the limit is named", async () => {
    answered = [`x-long: ${"v".repeat(HEAD_LIMITS.headerBytes + 4_096)}`];
    expect(await ask("/x", "Accept: application/json")).toMatch(
      /^HTTP\/1\.1 502 [\s\S]*more than 20480 bytes of headers/,
    );
    answered = [];
  });
});

test.each([65_536, 131_072])("header_bytes: %i takes as much, and tells of more", async (headerBytesMax) => {
  const other = await temporaryFolder();
  const port = await freePort();
  const table = catalogOf(service("s"), instance("s", "a", { url: raw.url }));
  const { settings } = machine;
  const large = await startMachine({
    table,
    runDir: other,
    port,
    settings: { haproxy: { ...settings.haproxy, runDir: other, headerBytesMax } },
  });
  const send = (bytes: number): Promise<string> =>
    exchange(port, requestOf("GET /s/x HTTP/1.1", "Host: localhost", `X-A: ${"v".repeat(bytes)}`));
  expect(await send(headerBytesMax - 200)).toMatch(/^HTTP\/1\.1 200 /);
  expect(raw.heads.at(-1)?.length).toBeGreaterThan(headerBytesMax - 200);
  expect(await send(headerBytesMax)).toMatch(new RegExp(`^HTTP/1\\.1 431 [\\s\\S]*may have ${headerBytesMax} bytes`));
  await large.stop();
  await removeFolder(other);
});
