import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Served, serve } from "../testing/served.ts";
import { baseOf } from "./console-page.ts";

const PAGE =
  '<!doctype html><html><head><base href="./" /><script src="assets/console-5187e8ee7901.js"></script></head></html>';
const SCRIPT = "console.log(1);".repeat(100);

let folder: string;
let served: Served;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "datawire-console-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), PAGE);
  await writeFile(join(folder, "favicon.svg"), "<svg/>");
  await writeFile(join(folder, "assets/console-5187e8ee7901.js"), SCRIPT);
  served = await serve({ consoleFolder: folder });
});
afterAll(async () => {
  await served.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

/** As it comes: fetch() would follow, unpack and tidy up. */
function get(
  path: string,
  headers: Record<string, string> = {},
  { method = "GET", port = served.port } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers }, (res) => {
      const parts: Buffer[] = [];
      res.on("data", (part: Buffer) => parts.push(part));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, bytes: Buffer.concat(parts) }));
    });
    asked.on("error", reject).end();
  });
}

const html = { accept: "text/html,application/xhtml+xml" };

test.each([
  ["/", html, "console/"],
  ["/console", {}, "console/"],
  ["/console?x=1", {}, "console/?x=1"],
])("GET %s leads to the console", async (path, headers, location) => {
  expect(await get(path, headers)).toMatchObject({ status: 302, headers: { location } });
});

test("GET / without a wish for a page is no page of the interface", async () => {
  expect((await get("/")).status).toBe(404);
});

test.each([
  ["/console/", "./"],
  ["/console/services", "./"],
  ["/console/services?tab=x.y", "./"],
  ["/console/services/barker", "../"],
  ["/console/services/barker.internal", "../"],
  ["/console/traces/4bf9-1.2", "../"],
  ["/console/a/b/c", "../../"],
])("GET %s is the page, whose addresses begin at %s", async (path, base) => {
  const { status, headers, bytes } = await get(path);
  expect(status).toBe(200);
  expect(bytes.toString()).toBe(PAGE.replace("./", base));
  expect(headers).toMatchObject({ "cache-control": "no-cache", "content-type": "text/html; charset=utf-8" });
  expect(headers["etag"]).toMatch(/^W\/".+"$/);
  expect(await get(path, { "if-none-match": String(headers["etag"]) })).toMatchObject({ status: 304 });
});

test("a file with a hash in its name is kept for good, any other is asked for again", async () => {
  const script = await get("/console/assets/console-5187e8ee7901.js");
  expect(script).toMatchObject({
    status: 200,
    headers: {
      "cache-control": "public, max-age=31536000, immutable",
      "content-type": "text/javascript; charset=utf-8",
    },
  });
  expect(script.bytes.toString()).toBe(SCRIPT);
  expect((await get("/console/favicon.svg")).headers).toMatchObject({ "cache-control": "no-cache" });
});

test.each([
  ["gzip, deflate, br", true],
  ["*", true],
  ["gzip;q=0.5", true],
  ["gzip;q=0", false],
  ["br", false],
])("Accept-Encoding %s: gzip is %s", async (encoding, isZipped) => {
  for (const [path, text] of [
    ["/console/", PAGE],
    ["/console/assets/console-5187e8ee7901.js", SCRIPT],
  ] as const) {
    const { headers, bytes } = await get(path, { "accept-encoding": encoding });
    expect(headers["content-encoding"]).toBe(isZipped ? "gzip" : undefined);
    expect((isZipped ? gunzipSync(bytes) : bytes).toString()).toBe(text);
  }
});

test.each([
  ["/console/", "GET", 200],
  ["/console/", "HEAD", 200],
  ["/console/", "POST", 405],
  ["/console/assets/console-5187e8ee7901.js", "GET", 200],
  ["/console/assets/none-12345678.js", "GET", 404],
  ["/console/none.js", "GET", 404],
  ["/console/index.html", "GET", 404],
  ["/console/../../../etc/passwd.txt", "GET", 404],
  ["/console/%2e%2e/%2e%2e/package.json", "GET", 404],
])("%s by %s is %i, with all that keeps pages safe", async (path, method, status) => {
  const answer = await get(path, {}, { method });
  expect(answer).toMatchObject({
    status,
    headers: {
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
    },
  });
});

test("a console that is built anew is served anew, without a restart", async () => {
  await writeFile(join(folder, "index.html"), `${PAGE}<!-- new -->`);
  expect((await get("/console/")).bytes.toString()).toContain("new");
  await writeFile(join(folder, "index.html"), PAGE);
});

test("without a console that is built, the page says how to build it", async () => {
  const bare = await serve({ consoleFolder: join(folder, "nowhere") });
  onTestFinished(() => bare.stop());
  const { status, bytes, headers } = await get("/console/services", {}, { port: bare.port });
  expect(status).toBe(503);
  expect(bytes.toString()).toContain("scripts/build-console.ts");
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
  expect((await get("/console/x.js", {}, { port: bare.port })).status).toBe(404);
});

test("with console: off there is neither a page nor a way to sign in", async () => {
  const off = await serve({ consoleFolder: folder, console: null });
  onTestFinished(() => off.stop());
  for (const path of ["/console", "/console/", "/console/assets/console-5187e8ee7901.js"])
    expect((await get(path, {}, { port: off.port })).status).toBe(404);
  expect((await get("/", html, { port: off.port })).status).toBe(404);
  expect((await off.send("POST", "/v1/session", { token: "dw1_x" })).status).toBe(404);
});

test("baseOf() goes up as far as a path goes down", () => {
  expect(["", "services", "services/", "services/a", "a/b/c"].map(baseOf)).toEqual([
    "./",
    "./",
    "../",
    "../",
    "../../",
  ]);
});
