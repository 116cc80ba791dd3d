import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonAnswer, sendWhole } from "./answer.ts";

const SMALL = Buffer.from(JSON.stringify({ services: [] }));
const LARGE = Buffer.from(JSON.stringify({ services: Array.from({ length: 5_000 }, (_, i) => `barker-${i}`) }));

const server = createServer((req, res) => {
  const body = req.url === "/large" ? LARGE : SMALL;
  void sendWhole(req, res, { ...jsonAnswer(body), headers: { etag: '"7"' } });
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

/** As it comes: fetch() would unpack it. */
const get = (path: string, encoding: string | null, method = "GET") =>
  new Promise<{ headers: Record<string, unknown>; bytes: Buffer }>((resolve, reject) => {
    const headers = encoding === null ? {} : { "accept-encoding": encoding };
    const { port } = server.address() as AddressInfo;
    request({ host: "127.0.0.1", port, path, method, headers }, (res) => {
      const parts: Buffer[] = [];
      res.on("data", (part: Buffer) => parts.push(part));
      res.on("end", () => resolve({ headers: res.headers, bytes: Buffer.concat(parts) }));
    })
      .on("error", reject)
      .end();
  });

test.each([
  ["/large", "gzip, deflate", true],
  ["/large", "gzip;q=0", false],
  ["/large", "br", false],
  ["/large", null, false],
  ["/small", "gzip", false],
] as const)("sendWhole() sends %s to who takes %s, packed: %s", async (path, encoding, isPacked) => {
  const { headers, bytes } = await get(path, encoding);
  expect(headers).toMatchObject({
    "content-type": "application/json; charset=utf-8",
    "content-length": String(bytes.length),
    vary: "Accept-Encoding",
    etag: isPacked ? 'W/"7"' : '"7"',
  });
  expect(headers["content-encoding"]).toBe(isPacked ? "gzip" : undefined);
  const plain = path === "/large" ? LARGE : SMALL;
  expect((isPacked ? gunzipSync(bytes) : bytes).equals(plain)).toBe(true);
  const head = await get(path, encoding, "HEAD");
  expect([head.headers["content-length"], head.bytes.length]).toEqual([String(bytes.length), 0]);
});
